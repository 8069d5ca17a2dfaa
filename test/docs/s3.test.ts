/** docs/engines/s3.md, with the double as the store. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { s3For } from '../engines/s3.ts';
import { ALICE } from '../helpers/accounts.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage } from '../helpers/images.ts';
import { configKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

const FILE = 'docs/engines/s3.md';

test('every line of the page on S3 does what it says', async (t) => {
  const { keys, server, prefix } = await s3For(t);
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const dataDir = join(scratch, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(scratch, 'config.json');
  const [, written = '{}'] = /```json\n(.*?)```/s.exec(readFileSync(FILE, 'utf8')) ?? [];
  const { s3, ...rest } = JSON.parse(written);
  // The page's own keys, with the double's place and credentials.
  writeFileSync(config, JSON.stringify(await configKeys(dataDir, { ...rest, port, s3: { ...s3, ...keys.s3 } })));
  const client = new ImgapiClient({ url });
  t.teardown(() => client.destroy());
  await runDocument(t, {
    file: FILE,
    shells: {
      '': new Shell(tree, scratch, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    },
    values: { CONFIG: config, 'http://10.99.99.21': url },
    instead: {
      'node-24 src/main.ts -f CONFIG': async (line) => {
        await documentServer(t, line, tree).start();
        const { image } = await makeImage(client, {}, { owner: ALICE });
        t.match(await server.keys(`${prefix}/images/`), [
          `${prefix}/images/${image.uuid.slice(0, 3)}/${image.uuid}/file0`,
        ]);
      },
    },
    after: {
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { objects: { ok: true } } });
      },
    },
  });
});
