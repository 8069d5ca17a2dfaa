/** What is left of copies, and what is told of them: recopies, jobs, lines, and what goes by itself. */
import { test } from 'tap';
import { jobsLike } from '#lib/api/jobs.ts';
import { sessionOf, sessionsInUse } from '#src/copies/documents/staging.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { expireCopies } from '#src/copies/orders/expiry.ts';
import { jobOf } from '#src/copies/orders/jobs.ts';
import { copyFromDatacenter } from '#src/copies/orders/place-order.ts';
import { watch } from '#src/copies/orders/watch.ts';
import { runTransfer, WorkerStopped } from '#src/copies/transfer/transfer.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { putImage } from '../../helpers/datacenter.ts';
import { waitFor } from '../../helpers/wait.ts';
import { type CopyPair, claimed, copyPair, ended, lastOrder, orderOf, recordOf, transferOf } from './fixture.ts';

const SIGNAL = new AbortController().signal;
const DAY = 86_400_000;

async function again(pair: CopyPair, uuid: string, dryRun = false) {
  const source = (await recordedSource(pair.service, pair.source.name))!;
  return copyFromDatacenter(pair.service, { uuid, account: ALICE, source, dryRun, doNotRestart: false }, SIGNAL);
}

test('a recopy brings what changed at the source, and only that', async (t) => {
  const pair = await copyPair(t);
  const { record, bytes } = await putImage(pair.source, ALICE, { description: 'old', homepage: 'http://a.example' });
  await putImage(pair.dest, ALICE, { ...record, public: true, disabled: true, state: 'disabled' }, bytes);
  const share = { entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' };
  await changeRecord(pair.source.service, record.uuid, ({ homepage: _, ...rest }) => ({
    ...rest,
    description: 'new',
    tagsObj: { role: 'db' },
    tags: ['role=db'],
    acl: [BOB],
    shares: [{ entry: BOB }, share],
    grants: [CAROL],
  }));
  const before = await recordOf(pair.service, record.uuid);
  const changes = [
    { field: 'description', from: 'old', to: 'new' },
    { field: 'homepage', from: 'http://a.example', to: undefined },
    { field: 'tags', from: undefined, to: { role: 'db' } },
    { field: 'acl', from: [], to: [BOB, 'carol'] },
  ];
  t.same((await again(pair, record.uuid, true)).changes, changes);
  t.same(await recordOf(pair.service, record.uuid), before, 'a dry run changes nothing');
  t.equal(await lastOrder(pair.service, record.uuid), undefined);
  t.same((await again(pair, record.uuid)).changes, changes);
  const { homepage: _, ...kept } = before!;
  t.match(await recordOf(pair.service, record.uuid), {
    ...kept,
    rev: 1,
    description: 'new',
    grants: [CAROL],
    shares: [{ entry: BOB }, share],
  });
  t.match(await lastOrder(pair.service, record.uuid), { state: 'succeeded', live: false, changes: [{}, {}, {}, {}] });
  t.same((await again(pair, record.uuid)).changes, []);
});

test('a job says what the workflow service would, and always has a result at the end', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const order = await pair.copy(record.uuid);
  t.match(jobOf(order), { uuid: order.uuid, image_uuid: record.uuid, execution: 'queued', chain_results: [] });
  pair.engine();
  const done = jobOf(await ended(pair.service, order.uuid));
  t.match(done, { execution: 'succeeded', params: { image_uuid: record.uuid, account: ALICE } });
  t.match(done.chain_results.at(-1), { result: 'OK', error: '' });
  const failed = {
    ...(await orderOf(pair.service, order.uuid)),
    state: 'failed' as const,
    error: { code: 'GaveUp' as const, message: 'enough' },
  };
  t.match(jobOf(failed).chain_results.at(-1), { error: { code: 'GaveUp', message: 'enough' } });
  const canceled = { ...failed, state: 'canceled' as const };
  t.match(jobOf(canceled), { execution: 'failed', chain_results: [{}, { error: { code: 'Canceled' } }] });
  t.equal(jobsLike([jobOf(failed)], { execution: 'failed' }).length, 1);
  t.equal(jobsLike([jobOf(failed)], { task: 'import-remote-image' }).length, 0);
});

test('a watcher gets a line per change until the end, whichever process carries the bytes', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const order = await pair.copy(record.uuid);
  const states: string[] = [];
  for await (const status of watch(pair.service, [order], SIGNAL)) {
    states.push(status.state);
    if (states.length === 1) pair.engine();
  }
  t.equal(states[0], 'queued');
  t.equal(states.at(-1), 'succeeded');
});

test('a watcher that goes away ends its watch', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const order = await pair.copy(record.uuid);
  const gone = new AbortController();
  let lines = 0;
  for await (const _ of watch(pair.service, [order], gone.signal)) {
    lines++;
    gone.abort();
  }
  t.equal(lines, 1);
});

test('what a failed copy left goes after a while, and the plan says so before', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { record: other } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  const live = await pair.copy(other.uuid);
  const stop = new AbortController();
  const attempt = await claimed(pair.service, record.uuid);
  stop.abort(new WorkerStopped());
  await runTransfer(pair.service, attempt, stop.signal);
  await endOrder(pair.service, uuid, { event: 'fail', failure: { code: 'GaveUp', message: 'x' }, image: record.uuid });
  const nothing = { placeholders: [], orders: [], links: [] };
  t.same(await expireCopies(pair.service, { dryRun: false }), nothing, 'not yet');
  pair.dest.clock.ahead = 8 * DAY;
  const plan = {
    ...nothing,
    placeholders: [{ uuid: record.uuid, bytes: (await transferOf(pair.service, record.uuid))!.bytes }],
  };
  t.same(await expireCopies(pair.service, { dryRun: true }), plan);
  t.match(await recordOf(pair.service, record.uuid), { state: 'failed' });
  t.same(await expireCopies(pair.service, { dryRun: false }), plan);
  t.equal(await recordOf(pair.service, record.uuid), undefined);
  pair.dest.clock.ahead = 31 * DAY;
  t.match(await expireCopies(pair.service, { dryRun: false }), { orders: [uuid] });
  t.match(await recordOf(pair.service, other.uuid), { copy: { state: 'live' } }, 'what a live order lists stays');
  t.match(await orderOf(pair.service, live.uuid), { state: 'queued' });
});

test('a failed copy that was ordered again is not expired', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  await endOrder(pair.service, uuid, { event: 'fail', failure: { code: 'GaveUp', message: 'x' }, image: record.uuid });
  await pair.copy(record.uuid);
  pair.dest.clock.ahead = 20 * DAY;
  t.same((await expireCopies(pair.service, { dryRun: false })).placeholders, []);
  t.match(await transferOf(pair.service, record.uuid), { live: true });
});

test('the staging of every transfer is in use, also of one that failed and may be ordered again', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE, {}, Buffer.alloc(3_000_000));
  const { uuid } = await pair.copy(record.uuid);
  pair.network.trouble = { kind: 'stall', after: 2_000_000 };
  const worker = pair.engine();
  await waitFor('bytes', async () => ((await transferOf(pair.service, record.uuid))?.bytes ?? 0) > 1_000_000);
  await worker.stop();
  await endOrder(pair.service, uuid, { event: 'fail', failure: { code: 'GaveUp', message: 'x' }, image: record.uuid });
  const transfer = (await transferOf(pair.service, record.uuid))!;
  t.same(
    await sessionsInUse(pair.service, new Set([sessionOf(transfer, 1), 'another'])),
    new Set([sessionOf(transfer, 1)]),
  );
  t.same(
    (await pair.service.storages.named('local').sessions()).map(({ session }) => session),
    [sessionOf(transfer, 1)],
  );
});
