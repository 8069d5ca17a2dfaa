/** An image that was deleted can be restored for as long as it is kept, with all that it had. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { purgeExpired } from '#src/images/deleted/purge.ts';
import { finishDeletes } from '#src/images/record/tombstones.ts';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { sha1Served } from '../../../helpers/invariants.ts';
import { TestClock } from '../../../helpers/test-clock.ts';
import { imageRecord, putRecords } from '../../imgapi/fixtures/records.ts';
import { objectsOf, recordOf, refusal } from '../fixture.ts';

const WEEK_MS = 604_800_000;
const KEEPING = { images: { keepDeletedSeconds: 604_800 } };

const clock = new TestClock();

async function start(t: Parameters<typeof startInProcess>[0]) {
  const server = await startInProcess(t, KEEPING, { clock });
  const [operator, alice, bob] = [
    server.client(),
    server.client({ account: ALICE }),
    server.client({ account: BOB }),
  ] as const;
  const make = async (fields: object = {}) => (await makeImage(alice, fields, { size: 10 })).image;
  return { server, service: server.imgapi.service, operator, alice, bob, make };
}

const listed = async (client: ImgapiClient): Promise<string[]> =>
  (await client.listDeletedImages()).map(({ uuid }) => uuid);

test('a deleted image is not there, and restored it is what it was', async (t) => {
  const { server, service, operator, alice, bob, make } = await start(t);
  const { uuid } = await make({ acl: ['bob'], tags: { kept: 'yes' } });
  await alice.addImageIcon(uuid, randomBytes(7), 'image/png');
  const before = await alice.getImage(uuid);
  await alice.deleteImage(uuid);

  for (const client of [operator, alice, bob]) {
    t.match(await refusal(client.getImage(uuid)), { status: 404 });
    t.match(await refusal(client.getImageFile(uuid)), { status: 404 });
    t.match(await refusal(client.getImageIcon(uuid)), { status: 404 });
    t.match(await refusal(client.updateImage(uuid, { homepage: 'https://example.com' })), { status: 404 });
    t.match(await refusal(client.deleteImage(uuid)), { status: 404 });
    t.match(await refusal(client.createImage({ ...MANIFEST, origin: uuid })), { code: 'OriginDoesNotExist' });
    t.same(await client.listImages({ state: 'all' }), []);
  }
  t.equal(await finishDeletes(service), 0, 'nobody finishes its deletion');
  t.same(await objectsOf(server.dataDir, uuid), ['file0', 'icon'], 'its bytes stay');

  const [row] = await alice.listDeletedImages();
  t.match(row, { uuid, name: before.name, version: before.version, owner: ALICE, size: 17 });
  t.equal(Date.parse(row?.goes_at ?? '') - Date.parse(row?.deleted_at ?? ''), WEEK_MS);
  t.same(await listed(operator), [uuid]);
  t.same(await listed(bob), [], 'nobody is told of what others deleted');

  t.match(await refusal(bob.undeleteImage(uuid)), { status: 404 });
  t.same(await alice.undeleteImage(uuid), before);
  t.same(await bob.getImage(uuid), { ...before, acl: [BOB], shared_as: ['bob'] }, 'it is shared as before');
  t.equal(await sha1Served(alice, uuid), before.files[0]?.sha1);
  t.same(await listed(operator), []);
  t.match(await refusal(alice.undeleteImage(uuid)), { status: 409, code: 'ImageNotDeleted' });
});

test('its UUID is taken until it goes, which its owner and operators are told', async (t) => {
  const { server, operator, alice, bob, make } = await start(t);
  const { uuid } = await make();
  await alice.deleteImage(uuid);
  const taken = { status: 409, code: 'ImageUuidAlreadyExists', message: /was deleted and can be restored until/ };
  t.match(
    await refusal(operator.adminImportImage({ v: 2, uuid, ...MANIFEST, owner: ALICE, published_at: NOON })),
    taken,
  );
  const { uuid: other } = await bob.createImage({ ...MANIFEST });
  t.match(await refusal(operator.updateImage(other, { uuid })), taken);

  t.match(await refusal(bob.deleteImage(uuid, { purge: true })), { status: 404 });
  t.match(await refusal(bob.purgeImage(uuid)), { status: 404 });
  await alice.purgeImage(uuid);
  t.equal(await recordOf(server, uuid), undefined);
  t.same(await objectsOf(server.dataDir, uuid), []);
  t.match(await refusal(alice.undeleteImage(uuid)), { status: 404 });
  t.match(await refusal(alice.deleteImage(uuid, { purge: true })), { status: 404 });
  await operator.adminImportImage({ v: 2, uuid, ...MANIFEST, owner: ALICE, published_at: NOON });
});

const NOON = '2026-01-02T12:00:00.000Z';

test('it goes when its time has come, and not before', async (t) => {
  const { server, service, alice, make } = await start(t);
  const { uuid } = await make();
  await alice.deleteImage(uuid);
  clock.ahead += WEEK_MS - 60_000;
  t.equal(await purgeExpired(service), 0);
  t.same(await listed(alice), [uuid]);
  clock.ahead += 120_000;
  t.equal(await purgeExpired(service), 1);
  t.equal(await recordOf(server, uuid), undefined);
  t.same(await objectsOf(server.dataDir, uuid), []);
  t.match(await refusal(alice.undeleteImage(uuid)), { status: 404 });
});

test('what was never activated, or is purged, is not kept', async (t) => {
  const { server, alice, make } = await start(t);
  const { uuid: draft } = await alice.createImage({ ...MANIFEST });
  await alice.deleteImage(draft);
  t.equal(await recordOf(server, draft), undefined);
  const { uuid } = await make();
  await alice.deleteImage(uuid, { purge: true });
  t.equal(await recordOf(server, uuid), undefined);
});

test('a chain is restored from its base on', async (t) => {
  const { server, operator, alice, make } = await start(t);
  const base = (await make()).uuid;
  const child = (await make({ origin: base })).uuid;
  t.match(await refusal(alice.deleteImage(base)), { code: 'ImageHasDependentImages' });
  await alice.deleteImage(child);
  await alice.deleteImage(base);
  const first = await refusal(alice.undeleteImage(child));
  t.match(first, { status: 422, code: 'OriginDoesNotExist', message: /restore that one first/ });
  t.match(first.message, base);
  await alice.undeleteImage(base);
  t.equal((await alice.undeleteImage(child)).origin, base);

  await alice.deleteImage(child);
  await alice.deleteImage(base, { purge: true });
  t.match(await refusal(operator.undeleteImage(child)), {
    code: 'OriginDoesNotExist',
    message: /is not here any more/,
  });
  // Of somebody else's image that has the UUID by now, its owner learns nothing.
  await putRecords(server.imgapi.service, [imageRecord('unactivated', { uuid: base, owner: CAROL })]);
  t.match(await refusal(alice.undeleteImage(child)), {
    code: 'OriginDoesNotExist',
    message: /is not here any more/,
  });
});

test('the list goes on behind a marker, in the order in which images go', async (t) => {
  const { alice, make } = await start(t);
  const uuids: string[] = [];
  for (let n = 0; n < 3; n++) {
    const { uuid } = await make();
    await alice.deleteImage(uuid);
    clock.ahead += 1000;
    uuids.push(uuid);
  }
  const [first, second] = await alice.listDeletedImages({ limit: 2 });
  t.same([first?.uuid, second?.uuid], uuids.slice(0, 2));
  t.same(
    (await alice.listDeletedImages({ marker: uuids[1] ?? '' })).map(({ uuid }) => uuid),
    uuids.slice(2),
  );
  t.match(await refusal(alice.listDeletedImages({ marker: ALICE })), { status: 404 });
});

test('of several who restore it, purge it or find its time over at once, one wins', async (t) => {
  const { server, service, alice, operator, make } = await start(t);
  for (let round = 0; round < 6; round++) {
    const image = await make();
    const { uuid } = image;
    await alice.deleteImage(uuid);
    clock.ahead += round % 2 === 0 ? WEEK_MS + 1000 : 0;
    const [first, second] = await Promise.allSettled([
      alice.undeleteImage(uuid),
      operator.undeleteImage(uuid),
      round < 3 ? alice.deleteImage(uuid, { purge: true }).catch(() => undefined) : undefined,
      purgeExpired(service),
    ]);
    const restored = [first, second].filter(({ status }) => status === 'fulfilled').length;
    const record = await recordOf(server, uuid);
    t.equal(restored > 0 && round >= 3, record !== undefined && round >= 3);
    if (record) t.equal(await sha1Served(alice, uuid), image.files[0]?.sha1, 'it is there, to the byte');
    else t.same(await objectsOf(server.dataDir, uuid), [], 'it is gone, to the byte');
  }
});

test('If-Match of a restore takes the tag that the image had', async (t) => {
  const { alice, make } = await start(t);
  const { uuid } = await make();
  const { etag = '' } = await alice.getTaggedImage(uuid);
  await alice.deleteImage(uuid);
  t.match(await refusal(alice.undeleteImage(uuid, { ifMatch: 'other' })), { status: 412 });
  await alice.undeleteImage(uuid, { ifMatch: etag });
});
