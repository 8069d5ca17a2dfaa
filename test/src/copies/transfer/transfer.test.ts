import { createHash, randomBytes } from 'node:crypto';
import { test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { type IconRecord, IMAGES } from '#lib/manifest/record.ts';
import { sessionOf } from '#src/copies/documents/staging.ts';
import { statusOf } from '#src/copies/orders/status.ts';

import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { bytesOf, putImage, putObject } from '../../../helpers/datacenter.ts';
import type { Trouble } from '../../../helpers/tcp-proxy.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { claimed, copyPair, ended, orderOf, otherProcess, recordOf, transferOf } from '../fixture.ts';

const MIB = 1024 * 1024;

function iconRecord(icon: Buffer): IconRecord {
  return {
    sha1: createHash('sha1').update(icon).digest('hex'),
    size: icon.length,
    contentType: 'image/png',
    contentMD5: createHash('md5').update(icon).digest('base64'),
    mtime: '2026-01-01T00:00:00.000Z',
    stor: 'local',
  };
}

test('a copied image is the image: bytes, manifest, icon, shares and dates', async (t) => {
  const pair = await copyPair(t);
  const icon = randomBytes(500);
  const shares = [
    { entry: BOB },
    { entry: 'carol', account: 'c8a1f6e2-5d6b-4f0c-9a36-3a7c1c1f4b11', shared_at: '2026-01-01T00:00:00.000Z' },
  ];
  const { record, bytes } = await putImage(pair.source, ALICE, {
    tags: ['role=db'],
    tagsObj: { role: 'db' },
    billing_tags: ['x'],
    traits: { ssd: true },
    acl: [BOB],
    shares,
    grants: ['c8a1f6e2-5d6b-4f0c-9a36-3a7c1c1f4b11'],
    icon: iconRecord(icon),
  });
  await putObject(pair.source.service.storages.named('local'), imageObjectPath(record.uuid, 'icon'), icon);
  pair.engine();
  const order = await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  t.match(order, {
    state: 'succeeded',
    members: [{ uuid: record.uuid, result: { state: 'succeeded', via: 'pull-url', attempt: 1 } }],
  });
  const here = await recordOf(pair.service, record.uuid);
  t.match(here, {
    activated: true,
    state: 'active',
    published_at: record.published_at!,
    tagsObj: { role: 'db' },
    billing_tags: ['x'],
    traits: { ssd: true },
    shares,
    grants: record.grants!,
    acl: [BOB],
    copied_from: { datacenter: pair.source.name },
    files: [{ sha256: record.files![0]!.sha256!, contentMD5: record.files![0]!.contentMD5 }],
    icon: { sha1: record.icon!.sha1, contentType: 'image/png' },
  });
  t.notOk('copy' in here! || 'error' in here!);
  const { stream } = await pair.service.storages.named('local').read(imageObjectPath(record.uuid, 'file0'));
  t.ok((await bytesOf(stream)).equals(bytes));
  t.ok(
    (
      await bytesOf((await pair.service.storages.named('local').read(imageObjectPath(record.uuid, 'icon'))).stream)
    ).equals(icon),
  );
  t.same(await pair.service.storages.named('local').sessions(), []);
  t.equal(await transferOf(pair.service, record.uuid), undefined);
});

test('an icon that does not come at first is asked for again, and only one that cannot be had is left away', async (t) => {
  const pair = await copyPair(t);
  const icon = randomBytes(500);
  const brought = async (fields: Partial<IconRecord> = {}) => {
    const { record } = await putImage(pair.source, ALICE, { icon: { ...iconRecord(icon), ...fields } });
    await putObject(pair.source.service.storages.named('local'), imageObjectPath(record.uuid, 'icon'), icon);
    const { uuid } = await pair.copy(record.uuid);
    return { order: await ended(pair.service, uuid), here: await recordOf(pair.service, record.uuid) };
  };
  const lost = (next?: Trouble): Trouble => ({ kind: 'lose', request: '/icon', ...(next && { next }) });
  pair.engine();
  // More often than it is waited for by the attempt that has the bytes.
  pair.network.trouble = lost(lost(lost(lost())));
  const late = await brought();
  t.match(late.order, { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  t.match(late.here?.icon, { sha1: iconRecord(icon).sha1, size: icon.length });
  const bad = await brought({ contentType: 'text/html' });
  t.match(bad.order, { state: 'succeeded', members: [{ result: { attempt: 1, note: /^copied without its icon: / } }] });
  t.equal(bad.here?.icon, undefined);
});

test('a transfer goes on at the byte where the connection broke', async (t) => {
  const pair = await copyPair(t, { stallSeconds: 60 });
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(8 * MIB));
  pair.network.trouble = { kind: 'stall', after: 5 * MIB };
  pair.engine();
  const { uuid } = await pair.copy(record.uuid);
  await waitFor('four MiB', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > 4 * MIB);
  const before = pair.network.received;
  pair.network.trouble = { kind: 'none' };
  pair.network.cutAll();
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 1 } }] });
  const after = pair.network.received - before;
  t.ok(after < 4.3 * MIB, `${after} bytes came after the break`);
});

test('a source that stalls is left and asked again', async (t) => {
  const pair = await copyPair(t, { stallSeconds: 0.3, retryDelay: { min: 1, max: 1 } });
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(4 * MIB));
  pair.network.trouble = { kind: 'stall', after: 1 * MIB };
  pair.engine();
  const { uuid } = await pair.copy(record.uuid);
  await waitFor('the stall', async () => (await transferOf(pair.service, record.uuid))?.error?.code === 'Stalled');
  pair.network.trouble = { kind: 'none' };
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
});

for (const [what, code, stallSeconds] of [
  ['stalled', 'Stalled', 0.5],
  ['broke off', 'SourceUnreachable', 60],
] as const) {
  test(`a transfer that ${what} shows why until bytes come again, and not for as long as it runs`, async (t) => {
    const pair = await copyPair(t, { stallSeconds, retryDelay: { min: 1, max: 1 } });
    const { record } = await putImage(pair.source, ALICE, {}, randomBytes(8 * MIB));
    pair.network.trouble = { kind: 'stall', after: 2 * MIB };
    const worker = pair.engine();
    const { uuid } = await pair.copy(record.uuid);
    const shown = async () => (await statusOf(pair.service, await orderOf(pair.service, uuid))).images[0];
    await waitFor('some bytes', async () => ((await shown())?.bytes_done ?? 0) > MIB);
    if (code === 'SourceUnreachable') {
      pair.network.trouble = { kind: 'refuse' };
      pair.network.cutAll();
    }
    const broken = await waitFor('the failure', async () => {
      const image = await shown();
      return image?.error?.code === code && image;
    });
    pair.network.trouble = { kind: 'slow', bytesPerSecond: MIB };
    const again = await waitFor('more bytes', async () => {
      const image = await shown();
      return image && image.bytes_done > broken.bytes_done + MIB / 4 && image;
    });
    t.match(again, { state: 'running' });
    t.equal(again.error, undefined);
    await worker.stop();
    const left = await transferOf(pair.service, record.uuid);
    t.match(left, { state: 'queued' });
    t.equal(left?.error, undefined, 'nor when it is given back');
    pair.network.trouble = { kind: 'none' };
    pair.engine();
    t.match(await ended(pair.service, uuid), { state: 'succeeded' });
  });
}

test('bytes that were damaged on the way are never used', async (t) => {
  const pair = await copyPair(t);
  const { record, sha1 } = await putImage(pair.source, ALICE, {}, randomBytes(4 * MIB));
  const { uuid } = await pair.copy(record.uuid);
  pair.network.trouble = { kind: 'flip', at: 3 * MIB };
  pair.engine();
  const order = await ended(pair.service, uuid);
  t.ok(pair.network.flipped);
  t.match(order, { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  t.equal((await pair.service.storages.named('local').hash(imageObjectPath(record.uuid, 'file0'))).sha1, sha1);
  t.same(await pair.service.storages.named('local').sessions(), []);
});

test('a source whose file is not what its manifest says fails the copy after a few tries', async (t) => {
  const pair = await copyPair(t);
  const { record, bytes } = await putImage(pair.source, ALICE);
  const damaged = Buffer.from(bytes);
  damaged[7] = damaged[7]! ^ 1;
  await putObject(pair.source.service.storages.named('local'), imageObjectPath(record.uuid, 'file0'), damaged);
  pair.engine();
  const order = await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  t.match(order, { state: 'failed', error: { code: 'HashMismatch', message: /sha1 .* instead of/ } });
  t.match(await recordOf(pair.service, record.uuid), { activated: false, state: 'failed', copy: { state: 'failed' } });
  t.same(await pair.service.storages.named('local').sessions(), [], 'wrong bytes are not kept');
  t.match(await transferOf(pair.service, record.uuid), { bytes: 0 });
});

test('without pull URLs the bytes come through the other IMGAPI', async (t) => {
  const pair = await copyPair(t, {}, { source: { keys: { pulls: { redirect: false } } } });
  const { record } = await putImage(pair.source, ALICE);
  pair.engine();
  const order = await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  t.match(order, { state: 'succeeded', members: [{ result: { via: 'imgapi' } }] });
});

test('deleting the image at the source does not break a transfer under way', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(8 * MIB));
  pair.network.trouble = { kind: 'stall', after: 2 * MIB };
  pair.engine();
  const { uuid } = await pair.copy(record.uuid);
  await waitFor('some bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > 0);
  await pair.source.service.store.batch([{ op: 'del', bucket: IMAGES, key: record.uuid }]);
  await pair.source.service.storages.named('local').removeTree(`images/${record.uuid.slice(0, 3)}/${record.uuid}`);
  pair.network.trouble = { kind: 'none' };
  pair.network.cutAll();
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
});

test('an image that was deleted before its transfer began fails the copy at once', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  await pair.source.service.store.batch([{ op: 'del', bucket: IMAGES, key: record.uuid }]);
  pair.engine();
  const order = await ended(pair.service, uuid);
  t.match(order, { state: 'failed', error: { code: 'SourceGone' }, members: [{ result: { state: 'failed' } }] });
  t.match(await recordOf(pair.service, record.uuid), { state: 'failed', error: { code: 'SourceGone' } });
});

test('a process that stops gives its transfer back, and another one goes on from its bytes', async (t) => {
  const pair = await copyPair(t, { leaseSeconds: 600 });
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(8 * MIB));
  pair.network.trouble = { kind: 'stall', after: 3 * MIB };
  const first = pair.engine(otherProcess(pair.service, 'first'));
  const { uuid } = await pair.copy(record.uuid);
  await waitFor('bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > 2 * MIB);
  await first.stop();
  const back = await transferOf(pair.service, record.uuid);
  t.match(back, { state: 'queued', attempt: 1 });
  t.equal(back?.lease, undefined);
  t.equal(back?.staged, sessionOf(back!, 1));
  pair.network.trouble = { kind: 'none' };
  const before = pair.network.received;
  pair.engine(otherProcess(pair.service, 'second'));
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
  t.ok(pair.network.received - before < 6 * MIB, 'the bytes of the first were taken over');
});

test('the transfer of a process that died is taken up when its lease has run out', async (t) => {
  const pair = await copyPair(t, { leaseSeconds: 1 });
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  // A process that claims, and is never heard of again.
  t.match(await claimed(otherProcess(pair.service, 'dead'), record.uuid), { attempt: 1, lease: { worker: 'dead' } });
  t.match(await orderOf(pair.service, uuid), { state: 'running' });
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded', members: [{ result: { attempt: 2 } }] });
});

test('a full disk fails the copy at once and keeps what came', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  await pair.service.store.batch([]);
  const { uuid } = await pair.copy(record.uuid);
  const local = pair.service.storages.named('local');
  const { InsufficientStorageError } = await import('#lib/objects/errors.ts');
  t.intercept(local, 'open', { value: async () => Promise.reject(new InsufficientStorageError(50_000, 10)) });
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'failed', error: { code: 'InsufficientStorage' } });
});

test('a copy is given up when no new byte came for too long', async (t) => {
  const pair = await copyPair(t, { giveUpAfterSeconds: 1 });
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  pair.network.trouble = { kind: 'refuse' };
  pair.network.cutAll();
  pair.engine();
  const { state, error } = await ended(pair.service, uuid);
  t.match({ state, error }, { state: 'failed', error: { code: 'GaveUp', message: /last failure/ } });
  t.notMatch(error?.message, /\/\/|127\.0\.0\.1/, 'where the source is, is for operators');
});
