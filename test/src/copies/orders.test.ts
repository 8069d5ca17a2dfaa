import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { cancelCopy, deletePlaceholder } from '#src/copies/orders/cancel.ts';
import { settleOrder } from '#src/copies/orders/commit-order.ts';
import { endOrder } from '#src/copies/orders/end-order.ts';
import { planCopy } from '#src/copies/orders/plan.ts';
import { statusOf } from '#src/copies/orders/status.ts';
import { runTransfer } from '#src/copies/transfer/transfer.ts';
import { recordedSource } from '#src/datacenters/sources/sources.ts';
import { changeRecord } from '#src/images/record/change.ts';
import { loadRaw } from '#src/images/record/load.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { putImage } from '../../helpers/datacenter.ts';
import { waitFor } from '../../helpers/wait.ts';
import {
  type CopyPair,
  caller,
  claimed,
  copyPair,
  ended,
  orderOf,
  otherProcess,
  recordOf,
  transferOf,
} from './fixture.ts';

const SIGNAL = new AbortController().signal;

/** A base and two images that build on it. */
async function family(pair: CopyPair): Promise<{ base: string; one: string; two: string }> {
  const { record: base } = await putImage(pair.source, ALICE, { name: 'base' });
  const { record: one } = await putImage(pair.source, ALICE, { name: 'one', origin: base.uuid });
  const { record: two } = await putImage(pair.source, ALICE, { name: 'two', origin: base.uuid });
  return { base: base.uuid, one: one.uuid, two: two.uuid };
}

test('the same request made many times at once is one order', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const orders = await Promise.all(Array.from({ length: 8 }, () => pair.copy(record.uuid)));
  t.equal(new Set(orders.map(({ uuid }) => uuid)).size, 1);
  t.match(await transferOf(pair.service, record.uuid), { orders: [orders[0]!.uuid] });
});

test('a repeated request attaches while the source is down', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  pair.network.trouble = { kind: 'refuse' };
  pair.network.cutAll();
  t.equal((await pair.copy(record.uuid)).uuid, uuid);
});

test('two orders share the transfer of their base, and each becomes usable by itself', async (t) => {
  const pair = await copyPair(t);
  const { base, one, two } = await family(pair);
  const first = await pair.copy(one);
  const second = await pair.copy(two);
  t.same(second.images, [base, two]);
  t.same((await transferOf(pair.service, base))?.orders, [first.uuid, second.uuid]);
  pair.engine();
  t.match(await ended(pair.service, first.uuid), { state: 'succeeded' });
  t.match(await ended(pair.service, second.uuid), { state: 'succeeded' });
  for (const uuid of [base, one, two]) t.match(await recordOf(pair.service, uuid), { activated: true });
});

test('the images of an order become usable together', async (t) => {
  const pair = await copyPair(t, { concurrency: 1 });
  const { base, one } = await family(pair);
  const { uuid } = await pair.copy(one);
  pair.engine();
  await waitFor('the base', async () => {
    const [lower, upper] = [await recordOf(pair.service, base), await recordOf(pair.service, one)];
    if (lower?.activated !== upper?.activated) throw new Error('one is usable without the other');
    return lower?.activated;
  });
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
});

test('canceling one order leaves what another one needs', async (t) => {
  const pair = await copyPair(t);
  const { base, one, two } = await family(pair);
  const first = await pair.copy(one);
  const second = await pair.copy(two);
  t.match(await cancelCopy(pair.service, one, ALICE), { uuid: first.uuid, state: 'canceled' });
  t.equal(await recordOf(pair.service, one), undefined);
  t.same((await transferOf(pair.service, base))?.orders, [second.uuid]);
  t.match(await recordOf(pair.service, base), { copy: { state: 'live' } });
  pair.engine();
  t.match(await ended(pair.service, second.uuid), { state: 'succeeded' });
});

test('the failure of one order leaves what another one needs', async (t) => {
  const pair = await copyPair(t);
  const { base, one, two } = await family(pair);
  const first = await pair.copy(one);
  const second = await pair.copy(two);
  const failure = { code: 'SourceGone', message: 'gone' } as const;
  await endOrder(pair.service, first.uuid, { event: 'fail', failure, image: one });
  t.match(await recordOf(pair.service, one), { state: 'failed', error: failure });
  t.match(await recordOf(pair.service, base), { state: 'creating', copy: { state: 'live' } });
  pair.engine();
  t.match(await ended(pair.service, second.uuid), { state: 'succeeded' });
});

test('when a member fails all members are marked, and a new order goes on with what came', async (t) => {
  const pair = await copyPair(t);
  const { base, one } = await family(pair);
  const { uuid } = await pair.copy(one);
  await runTransfer(pair.service, await claimed(pair.service, base), SIGNAL);
  t.match(await transferOf(pair.service, base), { state: 'received' });
  const failure = { code: 'SourceGone', message: 'gone' } as const;
  await endOrder(pair.service, uuid, { event: 'fail', failure, image: one });
  const error = { code: 'SourceGone', message: new RegExp(one) };
  t.match(await recordOf(pair.service, base), { state: 'failed', files: [{ size: 50_000 }], error });
  pair.engine();
  const before = pair.network.received;
  const again = await pair.copy(one);
  t.not(again.uuid, uuid);
  t.match(await ended(pair.service, again.uuid), { state: 'succeeded' });
  t.ok(pair.network.received - before < 90_000, 'the base was not fetched again');
});

test('of a cancel and a commit at the same moment one wins, and the loser says so', async (t) => {
  const pair = await copyPair(t);
  const outcomes = new Set<string>();
  for (let round = 0; round < 12; round++) {
    const { record } = await putImage(pair.source, ALICE);
    const worker = pair.engine(otherProcess(pair.service, `worker ${round}`));
    const { uuid } = await pair.copy(record.uuid);
    worker.nudge();
    await waitFor(
      'the bytes',
      async () => (await transferOf(pair.service, record.uuid))?.state !== 'running' || undefined,
    );
    const canceled = await cancelCopy(pair.service, record.uuid, ALICE).then(
      () => 'canceled',
      (error: { code: string }) => error.code,
    );
    const order = await ended(pair.service, uuid);
    const here = await recordOf(pair.service, record.uuid);
    if (canceled === 'canceled') t.notOk(here && order.state !== 'canceled');
    else t.match([order.state, here?.activated], ['succeeded', true]);
    outcomes.add(canceled);
    await worker.stop();
  }
  t.ok(outcomes.size > 0);
});

test('several processes that settle one order do it once', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const worker = pair.engine();
  const { uuid } = await pair.copy(record.uuid);
  worker.nudge();
  await Promise.all(Array.from({ length: 5 }, () => settleOrder(pair.service, uuid, SIGNAL)));
  const order = await ended(pair.service, uuid);
  await Promise.all(Array.from({ length: 5 }, () => settleOrder(pair.service, uuid, SIGNAL)));
  t.same(await orderOf(pair.service, uuid), order);
});

test('what was unshared at the source during the copy is not shared here', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE, { acl: [BOB], description: 'old' });
  const { uuid } = await pair.copy(record.uuid);
  t.same((await recordOf(pair.service, record.uuid))?.acl, [BOB]);
  await changeRecord(pair.source.service, record.uuid, ({ acl: _, ...rest }) => ({ ...rest, description: 'new' }));
  pair.engine();
  t.match(await ended(pair.service, uuid), { state: 'succeeded' });
  const here = await recordOf(pair.service, record.uuid);
  t.match(here, { description: 'new', activated: true });
  t.equal(here?.acl, undefined);
});

test('DeleteImage of a placeholder cancels its copy, unless something that comes builds on it', async (t) => {
  const pair = await copyPair(t);
  const { base, one } = await family(pair);
  const { uuid } = await pair.copy(one);
  const stored = (await loadRaw(pair.service, base))!;
  await t.rejects(deletePlaceholder(pair.service, stored, caller(ALICE)), { code: 'ImageHasDependentImages' });
  await t.rejects(cancelCopy(pair.service, base, ALICE), { code: 'ImageHasDependentImages' });
  await deletePlaceholder(pair.service, (await loadRaw(pair.service, one))!, caller(ALICE));
  t.match(await orderOf(pair.service, uuid), { state: 'canceled' });
  for (const image of [base, one]) t.equal(await recordOf(pair.service, image), undefined);
});

test('nobody but its owner and operators can cancel or see a copy', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  await pair.copy(record.uuid);
  // Whether there is such an image, and where, is not told.
  const message = `no copy of image "${record.uuid}" is under way`;
  await t.rejects(cancelCopy(pair.service, record.uuid, BOB), { code: 'ResourceNotFound', message });
  t.match(await cancelCopy(pair.service, record.uuid, undefined), { state: 'canceled' });
});

test('all bytes are done only when the images are usable', async (t) => {
  const pair = await copyPair(t, { concurrency: 1 });
  const { one } = await family(pair);
  const { uuid } = await pair.copy(one);
  pair.engine();
  await waitFor('the end', async () => {
    const status = await statusOf(pair.service, await orderOf(pair.service, uuid));
    if (status.state === 'succeeded') return t.match(status, { bytes_done: 100_000, bytes_total: 100_000, rate: 0 });
    if (status.bytes_done >= status.bytes_total) throw new Error('said to be done before it was usable');
    return false;
  });
});

test("an image's part of the status is told in one order, before, while and after it comes", async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const { uuid } = await pair.copy(record.uuid);
  const told = async () => Object.keys((await statusOf(pair.service, await orderOf(pair.service, uuid))).images[0]!);
  const fields = ['uuid', 'name', 'version', 'bytes_total', 'state', 'bytes_done', 'rate', 'attempt'];
  t.same(await told(), fields);
  await claimed(pair.service, record.uuid);
  t.same(await told(), fields);
  await cancelCopy(pair.service, record.uuid, ALICE);
  t.same(await told(), fields);
});

test('the plan says what would come and what is here, and changes nothing', async (t) => {
  const pair = await copyPair(t);
  const { base, one, two } = await family(pair);
  const source = (await recordedSource(pair.service, pair.source.name))!;
  const plan = (uuid: string) => planCopy(pair.service, { uuid, account: ALICE, source }, SIGNAL);
  t.match(await plan(one), {
    images: [
      { uuid: base, action: 'copy', here: false, size: 50_000 },
      { uuid: one, action: 'copy', here: false },
    ],
    bytes_total: 100_000,
    bytes_to_copy: 100_000,
  });
  t.equal(await recordOf(pair.service, one), undefined);
  const { uuid } = await pair.copy(one);
  t.match(await plan(two), {
    images: [
      { uuid: base, action: 'attach' },
      { uuid: two, action: 'copy' },
    ],
    bytes_to_copy: 50_000,
  });
  pair.engine();
  await ended(pair.service, uuid);
  t.match(await plan(two), {
    images: [{ uuid: base, action: 'here', here: true }, { uuid: two }],
    bytes_to_copy: 50_000,
  });
  t.match(await plan(one), { images: [{ uuid: one, action: 'here' }], bytes_to_copy: 0 });
});

test('there is room for what is to come, or nothing is ordered', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE, {}, randomBytes(1000));
  t.intercept(pair.service.storages.named('local'), 'free', { value: async () => 999 });
  await t.rejects(pair.copy(record.uuid), { code: 'InsufficientStorage', statusCode: 507, message: /1000 bytes.*999/ });
  t.equal(await recordOf(pair.service, record.uuid), undefined);
});
