/** The page of the commands as an operator goes by it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

const IMPORTED = '2f6a3d5e-7c11-4f2b-9d3e-5a6b7c8d9e0f';

test('every line of the page of the commands does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const here = await startInProcess(t);
  const there = await startInProcess(t);
  const { image } = await makeImage(there.client(), { name: 'elsewhere' }, { owner: ALICE });
  const scratch = await temporaryFolder(t);
  const bytes = gzipSync('what it holds');
  const manifest = {
    v: 2,
    uuid: IMPORTED,
    owner: ALICE,
    name: 'of-files',
    version: '1',
    type: 'zone-dataset',
    os: 'linux',
  };
  writeFileSync(join(scratch, 'my-image.gz'), bytes);
  writeFileSync(join(scratch, 'my-image.imgmanifest'), JSON.stringify(manifest));
  const operator = here.client();
  await runDocument(t, {
    file: 'docs/commands.md',
    shells: {
      '': new Shell(tree, scratch, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: here.url,
        IMGAPI_DATA_DIR: here.dataDir,
      }),
    },
    values: {
      OWNER: ALICE,
      UUID: image.uuid,
      'http://10.99.99.22': there.url,
      'my-image.imgmanifest': join(scratch, 'my-image.imgmanifest'),
      'my-image.gz': join(scratch, 'my-image.gz'),
    },
    after: {
      'imgapiadm list name=my-image': ({ stdout }) => void t.match(stdout, /my-image +1\.0\.0/),
      'imgapiadm get my-image@latest -j': ({ stdout }) =>
        void t.match(JSON.parse(stdout), { version: '1.0.0', state: 'active', files: [{ compression: 'gzip' }] }),
      'imgapiadm activate my-image@1.1.0': async () => {
        t.match(await operator.listImages({ version: '1.1.0' }), [{ state: 'active' }]);
      },
      'imgapiadm update my-image@1.1.0 description=\'what it is for\' \'tags={"role":"web"}\' homepage=': async () => {
        t.match(await operator.listImages({ version: '1.1.0' }), [{ description: /for$/, tags: { role: 'web' } }]);
      },
      'imgapiadm delete my-image@1.0.0': async () => {
        t.strictSame(await operator.listImages({ state: 'all', version: '1.0.0' }), []);
      },
      'imgapiadm import UUID -S http://10.99.99.22': async () => {
        t.match(await operator.getImage(image.uuid), { name: 'elsewhere', state: 'active' });
      },
      'imgapiadm import -m my-image.imgmanifest -f my-image.gz': async () => {
        t.match(await operator.getImage(IMPORTED), { state: 'active', files: [{ size: bytes.length }] });
      },
    },
  });
});
