/** What follows from the states of the datacenters of a fan-out. */
import { test } from 'tap';
import type { TargetState } from '#lib/api/schemas/fan-out.ts';
import { CANCEL_MS, concluded, nextAt, nextCall } from '#src/copies/fan-out/decide.ts';
import type { FanOutRecord, Target } from '#src/copies/fan-out/model.ts';

const NOW = 1_000_000;

function target(datacenter: string, state: TargetState, fields: Partial<Target> = {}): Target {
  const counts = { bytes_done: 0, bytes_total: 0, rate: 0, tries: 0, not_before: NOW + 10_000, heard_at: 0 };
  return { datacenter, state, ...counts, ...(state !== 'waiting' && { order: `order-${datacenter}` }), ...fields };
}

function fanOut(targets: readonly Target[], fields: Partial<FanOutRecord> = {}): FanOutRecord {
  return {
    ...{ uuid: 'f', image: 'i', account: 'a', state: 'running', live: true, together: true, targets },
    ...{ created_at: '2026-01-01T00:00:00.000Z', gives_up_at: NOW + 1, rev: 1 },
    ...fields,
  };
}

test('it is released when all have verified it, and they are told at once', async (t) => {
  const ready = concluded(fanOut([target('east', 'verified'), target('west', 'succeeded')]), NOW);
  t.match(ready, { live: true, released: true });
  t.equal(nextAt(ready), 0);
  t.match(concluded(fanOut([target('east', 'verified'), target('west', 'copying')]), NOW).released, undefined);
  t.match(concluded(fanOut([target('east', 'verified'), target('west', 'failed')]), NOW).released, undefined);
});

test('what does not end in time is canceled, and given up when nobody confirms that', async (t) => {
  const late = concluded(fanOut([target('east', 'copying'), target('west', 'waiting')]), NOW + 1);
  t.match(late, { live: true, canceling: true, gives_up_at: NOW + 1 + CANCEL_MS });
  t.match(late.targets, [{ state: 'copying' }, { state: 'canceled' }], 'what nobody has heard of needs no call');
  const lost = concluded(late, NOW + 1 + CANCEL_MS);
  t.match(lost, { live: false, state: 'canceled', targets: [{ state: 'failed', error: { code: 'GaveUp' } }, {}] });
});

test('an order whose answer was lost is not taken for one that was never made', async (t) => {
  const lost = target('east', 'waiting', { tries: 1 });
  t.match(concluded(fanOut([lost], { canceling: true }), NOW), { live: true, targets: [{ state: 'waiting' }] });
});

test('what was given up and may be hidden there is asked to cancel it, for a day, after the whole order has ended', async (t) => {
  const left = target('east', 'failed', { left_until: NOW + CANCEL_MS });
  const ended = concluded(fanOut([left, target('west', 'failed')], { gives_up_at: NOW + CANCEL_MS }), NOW);
  t.match(ended, { state: 'failed', live: true, finished_at: String });
  t.same(
    ended.targets.map((one) => nextCall(ended, one)),
    ['cancel', undefined],
  );
  const later = concluded(ended, NOW + CANCEL_MS);
  t.match(later, { state: 'failed', live: false, finished_at: ended.finished_at ?? '' });
  t.equal(nextAt(later), Infinity);
});

test('what is shown somewhere is shown by all that have verified it, also when the rest is canceled', async (t) => {
  const targets = [target('east', 'succeeded'), target('west', 'verified'), target('north', 'copying')];
  const canceled = concluded(fanOut(targets, { released: true, canceling: true }), NOW);
  t.same(
    targets.map((one) => nextCall(canceled, one)),
    [undefined, 'release', 'cancel'],
  );
});
