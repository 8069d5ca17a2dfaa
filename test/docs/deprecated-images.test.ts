/** The page on deprecated images as an operator goes by it. */
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on deprecated images does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const { url, dataDir, client } = await startInProcess(t);
  const operator = client();
  const make = async () => (await makeImage(operator, {}, { owner: ALICE, size: 10 })).image.uuid;
  const [old, replacement] = [await make(), await make()];
  await runDocument(t, {
    file: 'docs/deprecated-images.md',
    shells: {
      '': new Shell(tree, dataDir, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    },
    values: { UUID2: replacement, UUID: old, 'http://10.99.99.21': url },
    after: {
      'imgapiadm deprecate UUID --replaced-by UUID2': async () => {
        t.match(await operator.getImage(old), { deprecated_at: /Z$/, replaced_by: replacement });
      },
      'imgapiadm list deprecated=true': ({ stdout }) => {
        t.match(stdout, old.slice(0, 8));
        t.notMatch(stdout, replacement.slice(0, 8));
      },
      'imgapiadm list deprecated=false -o uuid,name,version,deprecated,replaced_by': ({ stdout }) => {
        t.match(stdout, replacement);
        t.notMatch(stdout, old);
      },
      'imgapiadm undeprecate UUID': async () => {
        const { deprecated_at: at, replaced_by: by } = await operator.getImage(old);
        t.same([at, by], [undefined, undefined]);
      },
      'imgapiadm usage UUID2': ({ stdout }) => {
        t.equal(stdout, '0 images on top of it.\n0 other datacenters.\n');
      },
    },
  });
  t.match(await operator.getImage(old), { deprecated_at: '2030-01-31T00:00:00Z', replaced_by: replacement });
});
