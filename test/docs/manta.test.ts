/** The page on Manta: what it says to type, with a double of Manta. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { ImgapiClient } from '#lib/client/client.ts';
import { mantaFor } from '../engines/manta.ts';
import { ALICE } from '../helpers/accounts.ts';
import { freePort } from '../helpers/free-port.ts';
import { makeImage } from '../helpers/images.ts';
import { configKeys, temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { documentServer } from './runner/servers.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on Manta does what it says', async (t) => {
  const { double, keys } = await mantaFor(t);
  const tree = await treeOfLinks(t);
  const scratch = await temporaryFolder(t);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const [config, key] = [join(scratch, 'config.json'), join(scratch, 'id_rsa')];
  const common = { ...(await configKeys(join(scratch, 'data'), keys)), port };
  const client = new ImgapiClient({ url });
  t.teardown(() => client.destroy());
  let image = '';
  /** As the document finds it out. */
  let keyId = '';
  await runDocument(t, {
    file: 'docs/engines/manta.md',
    notRun: ['it needs a cloud'],
    shells: {
      '': new Shell(tree, scratch, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: join(scratch, 'data'),
      }),
    },
    values: { CONFIG: config, KEY: key, IMAGE: () => image, 'http://10.99.99.21': url },
    before: {
      'imgapiadm check-config CONFIG --strict': async () => {
        writeFileSync(config, JSON.stringify({ ...common, manta: { ...keys.manta, key, keyId } }));
      },
    },
    instead: {
      'node-24 src/main.ts -f CONFIG': async (line) => {
        double.addAccount('admin', readFileSync(`${key}.pub`, 'utf8'));
        await documentServer(t, line, tree).start();
        image = (await makeImage(client, {}, { owner: ALICE })).image.uuid;
      },
    },
    after: {
      "ssh-keygen -l -E md5 -f KEY | cut -d ' ' -f 2 | cut -d : -f 2-": ({ stdout }) => {
        keyId = stdout.trim();
      },
      'curl -s http://10.99.99.21/healthz': ({ stdout }) => {
        t.match(JSON.parse(stdout), { checks: { objects: { ok: true } } });
      },
    },
  });
  await client.deleteImage(image);
});
