import { randomBytes } from 'node:crypto';
import { type Test, test } from 'tap';
import { updateObject } from '#lib/documents/update.ts';
import { TRANSFERS } from '#src/copies/documents/model.ts';
import { sessionOf } from '#src/copies/documents/staging.ts';
import { claim, isClaimable, releaseAttempt } from '#src/copies/transfer/attempt.ts';
import { fairShare, Throttle } from '#src/copies/transfer/bandwidth.ts';
import { LiveAttempt } from '#src/copies/transfer/live-attempt.ts';
import { Pace } from '#src/copies/transfer/pace.ts';
import { runTransfer } from '#src/copies/transfer/transfer.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { bytesOf, putImage, setConfig } from '../../../helpers/datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { type CopyPair, claimed, copyPair, ended, otherProcess, recordOf, transferOf } from '../fixture.ts';

const MIB = 1024 * 1024;

async function running(pair: CopyPair): Promise<number> {
  return pair.service.store.count(TRANSFERS, { op: 'eq', field: 'state', value: 'running' });
}

async function orderSome(pair: CopyPair, count: number, owner = ALICE): Promise<string[]> {
  const uuids: string[] = [];
  for (let index = 0; index < count; index++) {
    const { record } = await putImage(pair.source, owner, {}, randomBytes(2 * MIB));
    uuids.push((await pair.copy(record.uuid, { account: owner })).uuid);
  }
  return uuids;
}

test('a process carries as many transfers as it may, and no more', async (t) => {
  const pair = await copyPair(t, { concurrency: 2, perLink: 10 });
  const orders = await orderSome(pair, 5);
  pair.network.trouble = { kind: 'stall', after: MIB };
  pair.engine();
  await waitFor('two transfers', async () => (await running(pair)) === 2);
  pair.network.trouble = { kind: 'none' };
  pair.network.cutAll();
  await waitFor('the end', async () => {
    if ((await running(pair)) > 2) throw new Error('more than two at once');
    return (await pair.service.store.count(TRANSFERS)) === 0;
  });
  for (const uuid of orders) t.match(await ended(pair.service, uuid), { state: 'succeeded' });
});

test('the limit of a link holds over all processes', async (t) => {
  const pair = await copyPair(t, { concurrency: 4, perLink: 2 });
  await orderSome(pair, 6);
  pair.network.trouble = { kind: 'stall', after: MIB };
  for (const name of ['a', 'b', 'c']) pair.engine(otherProcess(pair.service, name));
  await waitFor('two transfers with bytes', async () => {
    const found = await pair.service.store.find(TRANSFERS, { filter: { op: 'eq', field: 'state', value: 'running' } });
    return found.filter(({ value }) => value.bytes > 0).length === 2;
  });
  const withBytes = await pair.service.store.find(TRANSFERS, {});
  t.equal(withBytes.filter(({ value }) => value.bytes > 0).length, 2);
});

test("one account's many copies do not hold up another's", async (t) => {
  const pair = await copyPair(t, { concurrency: 2 });
  await orderSome(pair, 4);
  const [bobs] = await orderSome(pair, 1, BOB);
  pair.network.trouble = { kind: 'stall', after: MIB };
  const worker = pair.engine();
  await waitFor('two transfers', async () => (await running(pair)) === 2);
  pair.network.trouble = { kind: 'none' };
  pair.network.cutAll();
  t.match(await ended(pair.service, bobs!), { state: 'succeeded' });
  await worker.stop();
});

test('a worker that was paused past its lease can place nothing', async (t) => {
  const pair = await copyPair(t, {});
  setConfig(pair.dest, 'copies', { leaseSeconds: 0.2, heartbeatSeconds: 600 });
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(4 * MIB));
  await pair.copy(record.uuid);
  pair.network.trouble = { kind: 'stall', after: 2 * MIB };
  const slow = otherProcess(pair.service, 'slow');
  const sleeping = runTransfer(slow, await claimed(slow, record.uuid), new AbortController().signal);
  await waitFor('the lease to run out', async () => {
    return isClaimable(
      (await transferOf(pair.service, record.uuid))!,
      pair.service.clock.now(),
      pair.service.config.copies,
    );
  });
  const second = await claimed(otherProcess(pair.service, 'quick'), record.uuid);
  t.match(second, { attempt: 2, lease: { worker: 'quick' } });
  pair.network.trouble = { kind: 'none' };
  pair.network.cutAll();
  await sleeping;
  t.match(await transferOf(pair.service, record.uuid), { attempt: 2, state: 'running', lease: { worker: 'quick' } });
  t.equal((await recordOf(pair.service, record.uuid))?.files, undefined);
  await runTransfer(otherProcess(pair.service, 'quick'), second, new AbortController().signal);
  t.match(await transferOf(pair.service, record.uuid), { attempt: 2, state: 'received' });
  t.match(await recordOf(pair.service, record.uuid), { files: [{ size: 4 * MIB }] });
});

test('waiting for a free place does not count against a copy', async (t) => {
  const pair = await copyPair(t, { giveUpAfterSeconds: 60 });
  const { record } = await putImage(pair.source, ALICE);
  await pair.copy(record.uuid);
  pair.dest.clock.ahead = 120_000;
  const { retry } = await claimed(pair.service, record.uuid);
  t.ok(pair.service.clock.now() - retry.last_byte_at < 30_000);
});

test('a copy that is canceled while it runs ends in every process, and leaves nothing', async (t) => {
  const { cancelCopy } = await import('#src/copies/orders/cancel.ts');
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(4 * MIB));
  pair.network.trouble = { kind: 'stall', after: 2 * MIB };
  const worker = pair.engine(otherProcess(pair.service, 'elsewhere'));
  await pair.copy(record.uuid);
  await waitFor('bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > MIB);
  await cancelCopy(pair.service, record.uuid, ALICE);
  await worker.stop();
  t.equal(await recordOf(pair.service, record.uuid), undefined);
  await waitFor('staging to go', async () => (await pair.service.storages.named('local').sessions()).length === 0);
  t.same(await pair.service.storages.named('local').list('images'), []);
});

test('a placeholder that vanished fails its order instead of leaving it for ever', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  await pair.service.store.batch([
    { op: 'del', bucket: { name: 'imgapi_images', version: 1, index: {} }, key: record.uuid },
  ]);
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'failed', error: { code: 'PlaceholderGone' } });
});

test('an older IMGAPI that takes the placeholder over fails the order, and keeps its image', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  await changeRecord(pair.service, record.uuid, ({ copy: _, ...rest }) => ({ ...rest, state: 'unactivated' }));
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'failed', error: { code: 'PlaceholderGone' } });
  t.match(await recordOf(pair.service, record.uuid), { state: 'unactivated' });
});

test("a link's bandwidth is shared by the transfers that run on it", async (t) => {
  const pair = await copyPair(t, { bandwidth: { 'us-east-1': 900_000 } });
  const image = 'none of them';
  t.equal(await fairShare(pair.service, { source: 'us-east-1', image }), 900_000);
  t.equal(await fairShare(pair.service, { source: 'us-south-1', image }), undefined);
  await orderSome(pair, 3);
  for (const stored of await pair.service.store.find(TRANSFERS, {})) await claim(pair.service, stored);
  for (const { key } of await pair.service.store.find(TRANSFERS, {})) {
    t.equal(await fairShare(pair.service, { source: 'us-east-1', image: key }), 300_000);
  }
});

/** Work on a transfer in a process of that name, whose heartbeats are the test's. */
async function liveIn(t: Test, { service }: CopyPair, worker: string, image: string): Promise<LiveAttempt> {
  const process = otherProcess(service, worker);
  const pace = new Pace({ least: () => 0, seconds: 60, onKept: () => undefined });
  const { signal: stop } = new AbortController();
  const live = new LiveAttempt(process, await claimed(process, image), { pace, stop, countBytes: () => undefined });
  t.teardown(async () => {
    pace.end();
    await live.end();
  });
  await live.beat();
  return live;
}

test('transfers of two processes stay within what their link may bring, also when that changes under way', async (t) => {
  const night = { from: '22:00', to: '06:00', bytesPerSecond: 900_000 };
  const day = { from: '06:00', to: '22:00', bytesPerSecond: 200_000 };
  const bandwidth = { 'us-east-1': [night, day] };
  const pair = await copyPair(t, { bandwidth, leaseSeconds: 3000, heartbeatSeconds: 1000 });
  await orderSome(pair, 2);
  pair.dest.clock.ahead = Date.parse('2100-03-01T21:50:00Z') - Date.now();
  const images = (await pair.service.store.find(TRANSFERS, {})).map(({ key }) => key);
  const first = await liveIn(t, pair, 'first', images[0]!);
  t.equal(first.throttle.rate, 200_000, 'one has all of it');
  const second = await liveIn(t, pair, 'second', images[1]!);
  const rates = async (): Promise<(number | undefined)[]> => {
    await Promise.all([first.beat(), second.beat()]);
    return [first.throttle.rate, second.throttle.rate];
  };
  t.strictSame(await rates(), [100_000, 100_000], 'and gives half of it to the next');
  pair.dest.clock.ahead += 20 * 60_000;
  t.strictSame(await rates(), [450_000, 450_000], 'a window has begun');
  await releaseAttempt(otherProcess(pair.service, 'second'), second.own, {});
  await first.beat();
  t.equal(first.throttle.rate, 900_000, 'what the other one leaves is not left unused');
  t.notOk(first.signal.aborted);
});

test('a throttle lets bytes pass at its rate, whatever the chunks', async (t) => {
  const throttle = new Throttle();
  throttle.rate = 1_000_000;
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let sent = 0; sent < 500_000; sent += 50_000) yield Buffer.alloc(50_000);
  }
  const started = performance.now();
  t.equal((await bytesOf(throttle.limit(source(), new AbortController().signal))).length, 500_000);
  const seconds = (performance.now() - started) / 1000;
  t.ok(seconds > 0.2, `${seconds} s`);
});

test('a limited copy is not faster than its link', async (t) => {
  const pair = await copyPair(t);
  setConfig(pair.dest, 'copies', { bandwidth: { 'us-east-1': 4 * MIB } });
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(4 * MIB));
  const { uuid } = await pair.copy(record.uuid);
  const started = performance.now();
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
  t.ok(performance.now() - started > 500);
});

test('what is staged counts as left only if its own writer has said so, however often it was claimed since', async (t) => {
  const pair = await copyPair(t);
  await orderSome(pair, 1);
  const { service } = pair;
  const [{ key } = { key: '' }] = await service.store.find(TRANSFERS, {});
  const change = (fields: object) =>
    updateObject(service.store, TRANSFERS, key, (transfer) => ({ ...transfer, ...fields, rev: transfer.rev + 1 }));
  const first = await claimed(service, key);
  await releaseAttempt(service, first, { staged: sessionOf(first, first.attempt) });
  const second = await claimed(service, key);
  t.equal(second.is_writer_over, true, 'given back by its writer');
  await change({ staged: sessionOf(second, second.attempt), lease: { worker: 'elsewhere', until: 1, length: 1 } });
  const third = await claimed(service, key);
  t.equal(third.is_writer_over, false, 'its lease ran out');
  await releaseAttempt(service, third, {});
  const fourth = await claimed(service, key);
  t.equal(fourth.is_writer_over, false, 'and the one who gave it back had not written it');
});
