/** Orders that have to end by a certain time. */
import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { finishByOf } from '#src/copies/orders/deadline.ts';
import { statusOf } from '#src/copies/orders/status.ts';
import { fairShare } from '#src/copies/transfer/bandwidth.ts';
import { sharesOf } from '#src/copies/transfer/shares.ts';
import { EVENTS } from '#src/images/events/event.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { putImage } from '../../../helpers/datacenter.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { claimed, copyPair, ended, orderOf } from '../fixture.ts';

const SIZE = 1_000_000;

function shared(budget: number, ...needs: number[]): number[] {
  return [
    ...sharesOf(
      budget,
      needs.map((need, i) => ({ image: `${i}`, need })),
    ).values(),
  ];
}

test('a transfer gets what it needs to be in time, and every other one at least half of an equal share', async (t) => {
  t.same(shared(90, 0, 0, 0), [30, 30, 30]);
  t.same(shared(90, 20, 0, 0), [30, 30, 30], 'who is in time anyway gets what all get');
  t.same(shared(90, 50, 0, 0), [50, 20, 20]);
  t.same(shared(90, 60, 0, 0), [60, 15, 15]);
  t.same(shared(90, 1000, 0, 0), [60, 15, 15], 'not more, however soon it has to end');
  t.same(shared(90, 1000, 1000, 0), [37.5, 37.5, 15]);
  t.same(shared(90, 45, 25, 0), [45, 25, 20], 'who would be late by what is left counts as well');
  t.same(shared(90, 5), [90]);
  t.same(shared(90, 500), [90]);
});

test('an order that has to end soon takes more of the link', async (t) => {
  const pair = await copyPair(t, { bandwidth: { 'us-east-1': 900_000 } });
  const images = await Promise.all([1, 2, 3].map(() => putImage(pair.source, ALICE, {}, randomBytes(SIZE))));
  const [soon = '', ...others] = images.map(({ record }) => record.uuid);
  for (const uuid of others) await pair.copy(uuid);
  const { uuid: order } = await pair.copy(soon);
  const finishBy = new Date(pair.service.store.now() + 20_000).toISOString();
  const again = await pair.copy(soon, { finishBy });
  t.equal(again.uuid, order, 'asking again moves the time of the same order');
  t.match(await statusOf(pair.service, await orderOf(pair.service, order)), { finish_by: finishBy });
  for (const { record } of images) await claimed(pair.service, record.uuid);
  const share = async (image: string) => (await fairShare(pair.service, { source: 'us-east-1', image })) ?? 0;
  t.equal(await share(soon), 300_000, 'which is enough');
  await pair.copy(soon, { finishBy: new Date(pair.service.store.now() + 2_200).toISOString() });
  const taken = await share(soon);
  t.ok(taken >= 500_000 && taken <= 600_000, `${taken} bytes a second`);
  for (const other of others) t.ok((await share(other)) >= 150_000);
  await pair.copy(soon, { finishBy: new Date(pair.service.store.now() - 1).toISOString() });
  t.equal(await share(soon), 300_000, 'a time that has passed raises nothing');
});

test('an order that cannot be in time says so once, and goes on', async (t) => {
  const pair = await copyPair(t);
  const { record } = await putImage(pair.source, ALICE);
  const finishBy = new Date(pair.service.store.now() - 1000).toISOString();
  const { uuid } = await pair.copy(record.uuid, { finishBy });
  pair.network.trouble = { kind: 'refuse' };
  pair.engine();
  const late = await waitFor('it to be late', async () => {
    const order = await orderOf(pair.service, uuid);
    return order.late_at === undefined ? undefined : order;
  });
  t.match(await statusOf(pair.service, late), { finish_by: finishBy, late_at: late.late_at });
  pair.network.trouble = { kind: 'none' };
  t.match(await ended(pair.service, uuid), { state: 'succeeded', late_at: late.late_at });
  const filter = { op: 'eq', field: 'kind', value: 'copy-late' } as const;
  const events = await pair.service.store.find(EVENTS, { filter });
  t.match(
    events.map(({ value }) => value),
    [{ image: record.uuid, owner: ALICE, details: { order: uuid, finish_by: finishBy } }],
  );
});

test('a time has to be one, and still to come', async (t) => {
  const now = Date.parse('2026-01-02T03:04:05Z');
  t.equal(finishByOf('2026-01-02T04:00:00+00:00', now), '2026-01-02T04:00:00.000Z');
  t.throws(() => finishByOf('tonight', now), { message: /finish_by is "tonight"; it must be a date/ });
  t.throws(() => finishByOf('2026-01-01', now), { message: /which has passed; it is 2026-01-02T03:04:05.000Z now/ });
});
