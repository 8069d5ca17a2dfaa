import { test } from 'tap';
import { COPY_STATES, isFinal } from '#lib/api/copy-states.ts';
import {
  nextOrderState,
  nextTransferState,
  ORDER_EVENTS,
  ORDER_MOVES,
  TRANSFER_EVENTS,
  TRANSFER_MOVES,
  TRANSFER_STATES,
} from '#src/copies/documents/states.ts';

test('an order moves as its table says, and in no other way', async (t) => {
  for (const state of COPY_STATES) {
    for (const event of ORDER_EVENTS) {
      const next = ORDER_MOVES[state][event];
      if (next) t.equal(nextOrderState(state, event), next, `${state} ${event}`);
      else t.throws(() => nextOrderState(state, event), { message: `a copy order that is ${state} cannot ${event}` });
    }
  }
});

test('an order that ended never moves again', async (t) => {
  t.same(COPY_STATES.filter(isFinal), ['succeeded', 'failed', 'canceled']);
  t.same(
    COPY_STATES.filter((state) => Object.keys(ORDER_MOVES[state]).length === 0),
    COPY_STATES.filter(isFinal),
  );
});

test('a transfer moves as its table says, and in no other way', async (t) => {
  for (const state of TRANSFER_STATES) {
    if (state === 'gone') continue;
    for (const event of TRANSFER_EVENTS) {
      const next = TRANSFER_MOVES[state][event];
      if (next && next !== 'gone') t.equal(nextTransferState(state, event), next, `${state} ${event}`);
      else t.throws(() => nextTransferState(state, event), { message: `a transfer that is ${state} cannot ${event}` });
    }
  }
});

test('every state of a transfer has a way out, by itself or by the periodic tasks', async (t) => {
  for (const start of TRANSFER_STATES) {
    const reached = new Set([start]);
    for (const state of reached) for (const next of Object.values(TRANSFER_MOVES[state])) reached.add(next);
    t.ok(reached.has('gone'), start);
  }
});
