/** Accounts keep no more images and bytes than their quota says, however many of their requests run at the same time. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { quotaOf, setLimits, unsetLimits } from '#src/images/quotas/own-limits.ts';
import { QUOTAS } from '#src/images/quotas/quota.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { recoverPlacements } from '#src/maintenance/sweeper.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { refusal, send } from '../fixture.ts';

async function start(t: Parameters<typeof startInProcess>[0]) {
  const keys = { quotas: { images: 20, bytes: 100_000 }, images: { keepDeletedSeconds: 600 } };
  const server = await startInProcess(t, keys);
  const { service } = server.imgapi;
  const [operator, alice, bob] = [
    server.client(),
    server.client({ account: ALICE }),
    server.client({ account: BOB }),
  ] as const;
  const used = async (account: string) => (await quotaOf(service, account)).used;
  return { server, service, operator, alice, bob, used };
}

const file = (size: number) => ({ compression: 'none', size }) as const;
const put = (client: ImgapiClient, uuid: string, size: number) =>
  client.addImageFile(uuid, Readable.from([randomBytes(size)]), file(size));

async function emptyImages(client: ImgapiClient, owner: string, count: number): Promise<string[]> {
  const images = Array.from({ length: count }, () => client.createImage({ ...MANIFEST, owner }));
  return (await Promise.all(images)).map(({ uuid }) => uuid);
}

/** How many went through; all others were refused for want of room. */
async function succeeded(calls: readonly Promise<unknown>[]): Promise<number> {
  const settled = await Promise.allSettled(calls);
  const codes = settled.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code?: string }).code] : []));
  const other = codes.filter((code) => code !== 'QuotaExceeded');
  if (other.length > 0) throw new Error(`refused for another reason: ${other.join()}`);
  return settled.length - codes.length;
}

test('quotas', async (t) => {
  const { server, service, operator, alice, bob, used } = await start(t);

  await t.test('of eight uploads at once with room for three, three go through', async (t) => {
    await setLimits(service, ALICE, { bytes: 3500 });
    const uuids = await emptyImages(operator, ALICE, 8);
    t.equal(await succeeded(uuids.map((uuid) => put(alice, uuid, 1000))), 3);
    t.same(await used(ALICE), { images: 8, bytes: 3000 });
    t.equal((await quotaOf(service, ALICE)).reserved, 0, 'nothing stays reserved');
    t.match(await refusal(put(alice, uuids[0] ?? '', 2000)), { status: 403, code: 'QuotaExceeded' });
    for (const uuid of uuids) await operator.deleteImage(uuid);
    await unsetLimits(service, ALICE);
  });

  await t.test('of eight images made at once with room for three, three go through', async (t) => {
    await setLimits(service, BOB, { images: 3 });
    t.equal(await succeeded(Array.from({ length: 8 }, () => bob.createImage(MANIFEST))), 3);
    const refused = await refusal(bob.createImage(MANIFEST));
    t.match(refused, { status: 403, code: 'QuotaExceeded' });
    t.equal(refused.message, `account "${BOB}" may keep 3 images here; it has 3, and this needs 1 more`);
    await operator.createImage({ ...MANIFEST, owner: BOB });
    t.equal((await used(BOB)).images, 4, 'operators are not refused, but what they make for an account counts');
    for (const { uuid } of await bob.listImages({ state: 'all' })) await bob.deleteImage(uuid);
    await bob.deleteImage((await bob.createImage(MANIFEST)).uuid);
    await unsetLimits(service, BOB);
  });

  await t.test('an upload that does not fit is refused before its bytes are asked for', async (t) => {
    await setLimits(service, BOB, { bytes: 5000 });
    const { uuid } = await bob.createImage(MANIFEST);
    const path = `/images/${uuid}/file?account=${BOB}&compression=none`;
    const headers = { 'content-length': 5001, expect: '100-continue' };
    const answer = await send(server.url, { method: 'PUT', path, headers });
    t.match(answer, { status: 403, invited: false, json: { code: 'QuotaExceeded' } });
    t.match(await put(bob, uuid, 5000), { files: [{ size: 5000 }] });
    t.match(await put(bob, uuid, 4000), { files: [{ size: 4000 }] }, 'what is replaced makes room');
    t.match(await put(bob, uuid, 5000), { files: [{ size: 5000 }] });
    t.match(await refusal(bob.addImageIcon(uuid, randomBytes(1), 'image/png')), { code: 'QuotaExceeded' });
    await bob.deleteImage(uuid);
  });

  await t.test('an upload of unknown length is cut where there is no more room', async (t) => {
    const { uuid } = await bob.createImage(MANIFEST);
    const path = `/images/${uuid}/file?account=${BOB}&compression=none`;
    const chunks = Array.from({ length: 6 }, () => randomBytes(1000));
    const refused = await send(server.url, { method: 'PUT', path, chunks });
    t.match(refused, { status: 403, json: { code: 'QuotaExceeded' } });
    t.same(await used(BOB), { images: 1, bytes: 0 });
    t.match(await send(server.url, { method: 'PUT', path, chunks: chunks.slice(1) }), { status: 200 });
    t.match(await quotaOf(service, BOB), { used: { images: 1, bytes: 5000 }, reserved: 0 });
    await bob.deleteImage(uuid);
    await unsetLimits(service, BOB);
  });

  await t.test('what a process that died had reserved counts until its lease is over', async (t) => {
    await setLimits(service, BOB, { bytes: 5000 });
    const { uuid } = await bob.createImage(MANIFEST);
    const reserve = async (until: number): Promise<void> => {
      const stored = await service.store.get(QUOTAS, BOB);
      const reserved = { upload: { worker: 'gone', until, length: 120_000, bytes: 4500 } };
      const value = { ...stored?.value, reserved, rev: (stored?.value.rev ?? 0) + 1 };
      await service.store.batch([{ op: 'put', bucket: QUOTAS, key: BOB, value }]);
    };
    await reserve(service.store.now() + 60_000);
    t.match(await refusal(put(bob, uuid, 1000)), {
      code: 'QuotaExceeded',
      message: /it has 4500, and this needs 1000/,
    });
    await reserve(service.store.now() - 1);
    t.match(await put(bob, uuid, 1000), { files: [{ size: 1000 }] });
    t.same((await service.store.get(QUOTAS, BOB))?.value.reserved, {});
    await bob.deleteImage(uuid);
    await unsetLimits(service, BOB);
  });

  await t.test('what was being placed when its process died counts until that is settled', async (t) => {
    await setLimits(service, BOB, { bytes: 1500 });
    const { uuid } = await bob.createImage(MANIFEST);
    const file = { sha1: 'a'.repeat(40), size: 1000, stor: 'local', compression: 'none' } as const;
    const placing = { object: `images/${uuid}/file0`, session: `upload.${uuid}.file0.gone`, kind: 'file' } as const;
    await changeRecord(service, uuid, (record) => ({
      ...record,
      intent: { ...placing, size: file.size, sha1: file.sha1, file },
      intent_lease: new Date(service.store.now() - 1).toISOString(),
    }));
    t.same(await used(BOB), { images: 1, bytes: 1000 });
    await recoverPlacements(service);
    t.same(await used(BOB), { images: 1, bytes: 0 });
    t.match(await put(bob, uuid, 1500), { files: [{ size: 1500 }] });
    await bob.deleteImage(uuid);
    await unsetLimits(service, BOB);
  });

  await t.test('a deleted image counts until it is purged', async (t) => {
    await setLimits(service, BOB, { images: 1 });
    const { image } = await makeImage(bob, {}, { size: 10 });
    await bob.deleteImage(image.uuid);
    t.match(await refusal(bob.createImage(MANIFEST)), { code: 'QuotaExceeded' });
    t.same(await used(BOB), { images: 1, bytes: 10 });
    await bob.undeleteImage(image.uuid);
    await bob.deleteImage(image.uuid, { purge: true });
    t.same(await used(BOB), { images: 0, bytes: 0 });
    await unsetLimits(service, BOB);
  });

  await t.test('a clone is refused as a whole, before anything of it is there', async (t) => {
    const { image: origin } = await makeImage(alice, {}, { size: 1000 });
    const { image } = await makeImage(alice, { origin: origin.uuid, acl: ['bob'] }, { size: 1000 });
    await setLimits(service, BOB, { bytes: 1999 });
    t.match(await refusal(bob.cloneImage(image.uuid)), { status: 403, code: 'QuotaExceeded' });
    t.same(await used(BOB), { images: 0, bytes: 0 });
    await setLimits(service, BOB, { bytes: 2000, images: 2 });
    const clones = Array.from({ length: 4 }, () => bob.cloneImage(image.uuid));
    t.equal(await succeeded(clones), 1);
    t.same(await used(BOB), { images: 2, bytes: 2000 });
    await unsetLimits(service, BOB);
  });

  await t.test('a gift needs room at its new owner, whose numbers the giver is not told', async (t) => {
    const { image } = await makeImage(alice, {}, { size: 10 });
    await setLimits(service, CAROL, { images: 0 });
    const refused = await refusal(alice.updateImage(image.uuid, { owner: CAROL }));
    t.match(refused, { status: 403, code: 'QuotaExceeded' });
    t.equal(refused.message, `account "${CAROL}" has no room for 1 more images`);
    await setLimits(service, CAROL, { images: null });
    t.match(await alice.updateImage(image.uuid, { owner: CAROL }), { owner: CAROL });
  });

  await t.test('the defaults of the configuration hold for all but the account of the operators', async (t) => {
    t.match(await quotaOf(service, CAROL), { limits: { bytes: 100_000 }, own: { images: null } });
    t.same((await unsetLimits(service, CAROL)).limits, { images: 20, bytes: 100_000 });
    t.same((await quotaOf(service, ADMIN)).limits, {});
    const carol = server.client({ account: CAROL });
    const { uuid } = await carol.createImage(MANIFEST);
    t.match(await refusal(put(carol, uuid, 100_000)), { code: 'QuotaExceeded' });
  });
});
