/** GetImageUsage: who uses an image, as far as the caller may see it. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { startTriton } from '../../doubles/triton/triton.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

test('images that build on one are told to who sees them, and what is hidden is neither listed nor counted', async (t) => {
  const triton = await startTriton(t);
  const server = await startInProcess(t, { vmapi: triton.keys['vmapi'] });
  const as = (account?: string) => server.client(account === undefined ? {} : { account });
  const { uuid } = (await makeImage(as(), { public: true }, { owner: ALICE, size: 10 })).image;
  const on = async (account: string, origin: string, fields: object = {}) =>
    (await makeImage(as(account), { origin, ...fields }, { size: 10 })).image.uuid;
  const own = await on(ALICE, uuid);
  const shared = await on(BOB, uuid, { acl: ['alice'] });
  const hidden = await on(BOB, uuid);
  const onOwn = await on(ALICE, own);
  const onHidden = await on(BOB, hidden, { acl: ['alice'] });
  const derived = async (account?: string) => {
    const { count, complete, images } = (await as(account).getImageUsage(uuid)).derived;
    t.same([count, complete], [images.length, true]);
    return images.map((image) => image.uuid).toSorted();
  };
  t.same(await derived(ALICE), [own, shared, onOwn].toSorted(), 'nor what builds on a hidden one');
  t.same(await derived(BOB), [shared, hidden, onHidden].toSorted());
  t.same(await derived(CAROL), []);
  t.same(await derived(), [own, shared, hidden, onOwn, onHidden].toSorted(), 'operators see all');
  t.same((await as(ALICE).getImageUsage(uuid)).datacenters, [], 'its owner is told of datacenters');
  t.equal((await as(BOB).getImageUsage(uuid)).datacenters, undefined, 'others are not');

  await t.test('of more than one answer holds, as many are listed as it holds', async (t) => {
    const base = (await makeImage(as(), { public: true }, { owner: ALICE, size: 10 })).image.uuid;
    const many = Array.from({ length: 1001 }, (_, i) => imageRecord('active', { name: `child-${i}`, origin: base }));
    await putRecords(server.imgapi.service, many);
    const { count, complete, images } = (await as().getImageUsage(base)).derived;
    t.same([count, complete, images.length], [1000, false, 1000]);
  });

  await t.test('so are machines, by the word of VMAPI', async (t) => {
    const vms = [ALICE, BOB].map((owner) => triton.addVm({ owner_uuid: owner, image_uuid: uuid, alias: 'web' }));
    triton.addVm({ owner_uuid: ALICE, image_uuid: uuid, state: 'destroyed' });
    triton.addVm({ owner_uuid: ALICE, image_uuid: randomUUID() });
    const machines = async (account?: string) => (await as(account).getImageUsage(uuid)).instances;
    t.same(await machines(ALICE), {
      count: 1,
      complete: true,
      instances: [{ uuid: vms[0]?.uuid, alias: 'web', owner: ALICE, state: 'running' }],
    });
    t.match(await machines(CAROL), { count: 0, complete: true });
    t.match(await machines(), { count: 2 });
    const strange = [null, 7, { uuid: 'x' }, { uuid: randomUUID(), image_uuid: uuid, owner_uuid: BOB, alias: {} }];
    triton.vmapi.fault = () => ({ status: 200, json: strange });
    t.match(await machines(ALICE), { count: 0 }, 'who does not look at the parameters is not believed');
    t.match(await machines(), { count: 1 });
    triton.vmapi.fault = () => 'reset';
    t.match(await machines(), { count: 0, complete: false, error: { code: 'VmapiUnavailable' } });
  });
});
