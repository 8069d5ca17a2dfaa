/** The page on webhooks: what it says to type and to configure. Its example of a receiver is run by the tests of webhooks. */
import { join } from 'node:path';
import { test } from 'tap';
import { freePort } from '../helpers/free-port.ts';
import { spawnImgapi, temporaryFolder } from '../helpers/imgapi.ts';
import { startReceiver } from '../helpers/webhooks.ts';
import { readJson } from './runner/blocks.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on webhooks does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const [scratch, dataDir] = [await temporaryFolder(t), await temporaryFolder(t)];
  const port = await freePort();
  const receiver = await startReceiver(t);
  const secretFile = join(scratch, 'tickets.secret');
  const { webhooks } = readJson('docs/webhooks.md') as { webhooks: object[] };
  t.match(webhooks, [{ name: 'tickets', url: /^https:/, secretFile: /^\/etc/ }]);
  const PATH = `${tree}/src/cli/bin:${process.env['PATH']}`;
  await runDocument(t, {
    file: 'docs/webhooks.md',
    shells: {
      '': new Shell(tree, scratch, { PATH, IMGAPI_DATA_DIR: dataDir, IMGAPI_URL: `http://127.0.0.1:${port}` }),
    },
    values: { SECRET_FILE: secretFile },
    before: {
      async 'imgapiadm webhooks'() {
        const keys = { webhooks: webhooks.map((hook) => ({ ...hook, url: receiver.url, secretFile })) };
        await spawnImgapi(t, keys, { dataDir, port });
      },
    },
  });
});
