/**
 * What a node brings under the UUID that it was told belongs to the image that was ordered, and to no other: not to one that
 * got the UUID when that was deleted, nor does the image get another UUID while it is made.
 */
import { test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { IMAGE_JOBS } from '#src/machines/model.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { waitFor } from '../../helpers/wait.ts';
import { refusal } from '../images/fixture.ts';
import { imageRecord, putRecords } from '../imgapi/fixtures/records.ts';
import { endOf, holdNode, siteInProcess } from './fixture.ts';

const FIELDS = { name: 'mine', version: '1.0.0' } as const;

for (const step of ['taken', 'imported', 'added'] as const) {
  test(`deleted when the node has ${step} it: no other image gets its UUID before the node has ended`, async (t) => {
    const { triton, operator, alice, vm } = await siteInProcess(t);
    const { reached, go } = holdNode(triton, step);
    const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
    await reached;
    await alice.deleteImage(uuid);
    const other = await operator.createImage({ ...MANIFEST, owner: ALICE });
    t.match(await refusal(operator.updateImage(other.uuid, { uuid })), { status: 409, code: 'Conflict' });
    go();
    t.match(await endOf(operator, job), { execution: 'failed' });
    const renamed = await waitFor('the UUID to be free', () =>
      operator.updateImage(other.uuid, { uuid }).catch(() => undefined),
    );
    t.match(renamed, { uuid, state: 'unactivated', files: [] });
  });
}

for (const step of ['taken', 'imported'] as const) {
  test(`an image keeps its UUID while its node has only ${step} it, and comes`, async (t) => {
    const { triton, operator, alice, vm } = await siteInProcess(t);
    const { reached, go } = holdNode(triton, step);
    const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
    await reached;
    const renaming = operator.updateImage(uuid, { uuid: crypto.randomUUID() });
    t.match(await refusal(renaming), { status: 409, code: 'ImageFileBusy' });
    go();
    t.match(await endOf(operator, job), { execution: 'succeeded' });
    t.match(await alice.getImage(uuid), { state: 'active' });
  });
}

test('the job of a deleted image leaves alone what stands under its UUID by then', async (t) => {
  const { triton, alice, vm, server } = await siteInProcess(t);
  const { store } = server.imgapi.service;
  const { reached, go } = holdNode(triton, 'taken');
  const { image_uuid: uuid, job_uuid: job } = await alice.createImageFromVm(FIELDS, { vmUuid: vm.uuid });
  await reached;
  await alice.deleteImage(uuid);
  const jobIs = (what: string, isSo: (job: { live: boolean; state: string }) => boolean) =>
    waitFor(`the job to be ${what}`, async () => {
      const found = (await store.get(IMAGE_JOBS, job))?.value;
      return found && isSo(found);
    });
  await jobIs('canceled', ({ state }) => state === 'canceled');
  await putRecords(server.imgapi.service, [imageRecord('unactivated', { uuid })]);
  const before = await store.get(IMAGES, uuid);
  go();
  await jobIs('over', ({ live }) => !live);
  t.strictSame((await store.get(IMAGES, uuid))?.value, before?.value);
  await jobIs('canceled still', ({ state }) => state === 'canceled');
});
