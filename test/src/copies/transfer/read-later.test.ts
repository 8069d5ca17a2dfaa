/** Large files that come by a link within one store: in their place at once, read right after, and given to nobody before. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { guardStore } from '#lib/objects/guarded-store.ts';
import { openLocalBackend } from '#lib/objects/local/store.ts';
import { COPIES } from '#src/copies/documents/model.ts';
import { listFindings } from '#src/images/files/findings.ts';
import { completeMd5s, LATE_MD5S, readOnce } from '#src/images/files/late-md5.ts';
import { mendFiles } from '#src/maintenance/scrub/mend.ts';
import { unobserved } from '#src/maintenance/scrub/observer.ts';
import { shared } from '../../../doubles/objects.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage, putObject } from '../../../helpers/datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { type CopyPair, copyPair, ended, recordOf } from '../fixture.ts';

const SIZE = 100_000;
const keys = { uploads: { lateMd5Bytes: SIZE } };
const { signal } = new AbortController();

async function sharedPair(t: Test): Promise<CopyPair> {
  const root = await mkdtemp(join(tmpdir(), 'imgapi-shared-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const backend = await openLocalBackend({ root });
  t.teardown(() => backend.close());
  const storage = (name: string) => () => guardStore(shared(backend, name));
  return copyPair(t, {}, { source: { storage: storage('us-east-1') }, dest: { keys, storage: storage('us-west-1') } });
}

/** Counts how often the destination reads a file for its hashes. */
function readings({ service }: CopyPair): () => number {
  const local = service.storages.named('local');
  const hash = local.hash.bind(local);
  let count = 0;
  local.hash = (...args) => {
    count += 1;
    return hash(...args);
  };
  return () => count;
}

/** Copies an image of Alice; returns its record here. */
async function copied(t: Test, pair: CopyPair, uuid: string, via: string): Promise<ImageRecord | undefined> {
  const order = await ended(pair.service, (await pair.copy(uuid)).uuid);
  t.match(order, { state: 'succeeded', members: [{ result: { via } }] });
  return recordOf(pair.service, uuid);
}

test('in one store a large file is not read before it is in its place, and has all its hashes when it was', async (t) => {
  const pair = await sharedPair(t);
  const count = readings(pair);
  pair.engine();
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(SIZE));
  const there = record.files?.[0];
  const here = await copied(t, pair, record.uuid, 'link');
  t.equal(count(), 0);
  t.match(here, { activated: true, unread: [0], files: [{ sha1: there?.sha1, sha256: there?.sha256, size: SIZE }] });
  t.equal(here?.files?.[0]?.contentMD5, undefined);
  t.equal(await completeMd5s(pair.service, signal), 1);
  const read = await recordOf(pair.service, record.uuid);
  t.match(read, { files: [{ contentMD5: there?.contentMD5 }] });
  t.equal(read?.unread, undefined);
  t.equal(await pair.service.store.count(LATE_MD5S), 0);
  t.equal(read && (await readOnce(pair.service, read, 0, signal)), false);
  t.equal(count(), 1);
});

test('bytes that lie here already are linked without reading them, and mended from the source when they are wrong', async (t) => {
  const pair = await copyPair(t, {}, { dest: { keys } });
  const count = readings(pair);
  pair.engine();
  const rotten = await putImage(pair.dest, ALICE, {}, randomBytes(SIZE));
  const local = pair.service.storages.named('local');
  await putObject(local, imageObjectPath(rotten.record.uuid, 'file0'), randomBytes(SIZE));
  const { record, sha1 } = await putImage(pair.source, ALICE, {}, rotten.bytes);
  const here = await copied(t, pair, record.uuid, 'here');
  t.equal(count(), 0);
  t.equal(here && (await readOnce(pair.service, here, 0, signal)), true);
  t.match(await recordOf(pair.service, record.uuid), { quarantined: [0] });
  t.equal((await recordOf(pair.service, record.uuid))?.unread, undefined);
  const [finding, ...others] = await listFindings(pair.service);
  t.match(finding, { uuid: record.uuid, status: 'hash', quarantined: true });
  t.same(others, []);
  // That of the other image as well, which is one of the same bytes.
  t.equal(await mendFiles(pair.service, unobserved, signal), 2);
  const mended = await recordOf(pair.service, record.uuid);
  t.equal(mended?.quarantined, undefined);
  t.equal((await local.hash(imageObjectPath(record.uuid, 'file0'))).sha1, sha1);
  t.same(await listFindings(pair.service), []);
});

test('what is to appear in several datacenters at one moment is read before', async (t) => {
  const pair = await sharedPair(t);
  const count = readings(pair);
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(SIZE));
  const { uuid } = await pair.copy(record.uuid);
  const hold = { until: pair.service.store.now() + 3600_000 };
  await updateObject(pair.service.store, COPIES, uuid, (order) => ({ ...order, hold, rev: order.rev + 1 }));
  pair.engine();
  await waitFor('the bytes to be here', async () => (await recordOf(pair.service, record.uuid))?.files?.[0]);
  t.equal((await recordOf(pair.service, record.uuid))?.unread, undefined);
  t.ok(count() > 0);
});

test('a store that is down while a file is to be read is asked again', async (t) => {
  const pair = await sharedPair(t);
  pair.engine();
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(SIZE));
  const here = await copied(t, pair, record.uuid, 'link');
  const local = pair.service.storages.named('local');
  const hash = local.hash.bind(local);
  local.hash = () => Promise.reject(new Error('down'));
  await t.rejects(readOnce(pair.service, here!, 0, signal), { message: 'down' });
  t.equal(await completeMd5s(pair.service, signal), 0);
  t.match(await recordOf(pair.service, record.uuid), { unread: [0] });
  local.hash = hash;
  t.equal(await completeMd5s(pair.service, signal), 1);
  t.equal((await recordOf(pair.service, record.uuid))?.unread, undefined);
});
