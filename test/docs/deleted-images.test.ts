/** The page on deleted images as an operator goes by it. */
import { test } from 'tap';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { refusal } from '../src/images/fixture.ts';
import { runDocument } from './runner/run-document.ts';
import { Shell, treeOfLinks } from './runner/shells.ts';

test('every line of the page on deleted images does what it says', async (t) => {
  const tree = await treeOfLinks(t);
  const { url, dataDir, client } = await startInProcess(t, { images: { keepDeletedSeconds: 600 } });
  const operator = client();
  const make = async () => (await makeImage(operator, {}, { owner: ALICE, size: 10 })).image.uuid;
  const [restored, purged, gone] = [await make(), await make(), await make()];
  for (const uuid of [restored, purged]) await operator.deleteImage(uuid);
  await runDocument(t, {
    file: 'docs/deleted-images.md',
    shells: {
      '': new Shell(tree, dataDir, {
        PATH: `${tree}/src/cli/bin:${process.env['PATH']}`,
        IMGAPI_URL: url,
        IMGAPI_DATA_DIR: dataDir,
      }),
    },
    values: { UUID2: purged, UUID3: gone, UUID: restored, 'http://10.99.99.21': url },
    after: {
      'imgapiadm deleted': ({ stdout }) => {
        for (const uuid of [restored, purged]) t.match(stdout, uuid);
      },
      'imgapiadm undelete UUID': async () => {
        t.equal((await operator.getImage(restored)).state, 'active');
      },
      'imgapiadm purge UUID2': async () => {
        t.same(await operator.listDeletedImages(), []);
      },
      "curl -s -X DELETE 'http://10.99.99.21/images/UUID3?purge=true'": async () => {
        t.match(await refusal(operator.getImage(gone)), { status: 404 });
        t.same(await operator.listDeletedImages(), []);
      },
      'imgapiadm protect UUID': async () => {
        t.match(await refusal(operator.deleteImage(restored)), { code: 'ImageProtected' });
      },
      'imgapiadm unprotect UUID': async () => {
        t.equal((await operator.getImage(restored)).protected, undefined);
      },
    },
  });
});
