/** The real `triton image export`, to a double of Manta. */
import { test } from 'tap';
import { MANTA_MODES, mantaFor } from '../../engines/manta.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, tritonOf } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

test('triton image export', async (t) => {
  const { double, keys } = await mantaFor(t, MANTA_MODES['Manta v1']);
  const server = await startInProcess(t, keys);
  const people = makePeople();
  const { url } = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url });
  const { image, bytes } = await makeImage(server.client({ account: ALICE }));
  const triton = await tritonOf(t, people.alice, url);
  const { status, stdout, stderr } = await triton('image', 'export', 'my-image', '/alice/stor/exports/it');
  t.equal(status, 0, stderr);
  t.match(stdout, new RegExp(`Manta URL: ${double.url}`));
  t.match(stdout, 'Manifest path: /alice/stor/exports/it.imgmanifest');
  t.match(stdout, 'Image path: /alice/stor/exports/it.zfs');
  const found = double.tree.find(['alice', 'stor', 'exports', 'it.zfs']);
  t.ok(found?.kind === 'object' && found.bytes.equals(bytes));

  const ask = asker(t, url);
  const exported = (json: object) =>
    ask(`/my/images/${image.uuid}?action=export`, { method: 'POST', as: people.alice, json });
  t.match(await exported({ manta_path: '/bob/stor/x' }), { status: 422, json: { code: 'NotMantaPathOwner' } });
  t.match(await exported({ manta_path: '/alice/stor/twice' }), {
    ...{ status: 200, json: { manta_url: double.url, image_path: '/alice/stor/twice.zfs' } },
  });
});
