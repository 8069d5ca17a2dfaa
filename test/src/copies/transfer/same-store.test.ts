/** Two datacenters that keep their objects in one store, each below a root of its own. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { guardStore } from '#lib/objects/guarded-store.ts';
import { openLocalBackend } from '#lib/objects/local/store.ts';
import { byteLinkPath } from '#src/copies/documents/staging.ts';

import { runTransfer } from '#src/copies/transfer/transfer.ts';
import { shared } from '../../../doubles/objects.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage, putObject } from '../../../helpers/datacenter.ts';
import { type CopyPair, claimed, copyPair, ended, otherProcess, recordOf, transferOf } from '../fixture.ts';

async function sharedPair(t: Test): Promise<CopyPair> {
  const root = await mkdtemp(join(tmpdir(), 'imgapi-shared-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  const backend = await openLocalBackend({ root });
  t.teardown(() => backend.close());
  return copyPair(
    t,
    {},
    {
      source: { storage: () => guardStore(shared(backend, 'us-east-1')) },
      dest: { storage: () => guardStore(shared(backend, 'us-west-1')) },
    },
  );
}

test('in one store no byte moves, and each datacenter keeps its own name of them', async (t) => {
  const pair = await sharedPair(t);
  const { record, sha1 } = await putImage(pair.source, ALICE, {}, Buffer.alloc(4_000_000, 'x'));
  const before = pair.network.received;
  pair.engine();
  const order = await ended(pair.service, (await pair.copy(record.uuid)).uuid);
  t.match(order, { state: 'succeeded', members: [{ result: { via: 'link' } }] });
  t.ok(pair.network.received - before < 100_000, `${pair.network.received - before} bytes came`);
  t.match(await recordOf(pair.service, record.uuid), { activated: true, files: [{ sha1, size: 4_000_000 }] });
  await pair.source.service.storages.named('local').removeTree('images');
  const local = pair.service.storages.named('local');
  t.equal((await local.hash(imageObjectPath(record.uuid, 'file0'))).sha1, sha1);
  t.same(await local.list('copies'), []);
});

test('what lies in the store is looked at like any bytes, and when it is wrong the source is asked', async (t) => {
  const pair = await sharedPair(t);
  const { record, bytes } = await putImage(pair.source, ALICE);
  const damaged = Buffer.from(bytes);
  damaged[3] = damaged[3]! ^ 1;
  const path = imageObjectPath(record.uuid, 'file0');
  await putObject(pair.source.service.storages.named('local'), path, damaged);
  const { uuid } = await pair.copy(record.uuid);
  await runTransfer(pair.service, await claimed(pair.service, record.uuid), AbortSignal.timeout(20_000));
  t.match(await transferOf(pair.service, record.uuid), { live: false, error: { code: 'HashMismatch' } });
  t.match(await ended(pair.service, uuid), { state: 'failed', members: [{ result: { via: 'pull-url' } }] });
});

test('a worker that was paused with the link in hand can place nothing once another one took over', async (t) => {
  const pair = await sharedPair(t);
  const { record } = await putImage(pair.source, ALICE);
  await pair.copy(record.uuid);
  const first = await claimed(otherProcess(pair.service, 'first'), record.uuid);
  const local = pair.service.storages.named('local');
  await local.serverCopy(local.siblingPath('us-east-1', imageObjectPath(record.uuid, 'file0')), byteLinkPath(first, 1));
  const { releaseAttempt } = await import('#src/copies/transfer/attempt.ts');
  await releaseAttempt(otherProcess(pair.service, 'first'), first, {});
  await runTransfer(pair.service, await claimed(pair.service, record.uuid), AbortSignal.timeout(20_000));
  t.equal(await local.info(byteLinkPath(first, 1)), undefined);
  await runTransfer(otherProcess(pair.service, 'first'), first, AbortSignal.timeout(20_000));
  t.match(await transferOf(pair.service, record.uuid), { state: 'received', attempt: 2 });
});
