/** When a task is due, and what its document says after a run. */
import { test } from 'tap';
import { begun, dueAt, ended, givenBack, pauseAfter, type Task, type TaskRecord } from '#src/maintenance/tasks/task.ts';

const HOUR = 3600_000;
const NOW = Date.parse('2026-01-02T03:04:05Z');
const TASK: Task = { name: 'work', what: 'works', periodMs: HOUR, run: async () => undefined };
/** It ran a minute ago. */
const RAN: TaskRecord = {
  rev: 2,
  failures: 0,
  next_at: NOW - 60_000 + HOUR,
  last: { began_at: NOW - 61_000, ended_at: NOW - 60_000, worker: 'a' },
};
/** Of a process that was there before. */
const LONG_AGO = NOW - 24 * HOUR;

test('a task that never ran is due, and one that ran is due after its period', async (t) => {
  t.ok(dueAt(undefined, TASK, NOW, LONG_AGO) <= NOW);
  t.equal(dueAt(RAN, TASK, NOW, LONG_AGO), NOW - 60_000 + HOUR);
});

test('a process that starts runs what has not run since', async (t) => {
  t.ok(dueAt(RAN, TASK, NOW, NOW - 59_000) <= NOW);
  t.equal(dueAt(RAN, TASK, NOW, NOW - 61_000), RAN.next_at);
});

test('a task that is held is due when its lease runs out, whoever starts', async (t) => {
  const held = begun(RAN, 'b', 30, NOW);
  t.match(held, { lease: { worker: 'b', until: NOW + 30_000 }, began_at: NOW, rev: 3 });
  t.equal(dueAt(held, TASK, NOW + 29_999, NOW + 20_000), NOW + 30_000);
  t.ok(dueAt({ ...held, next_at: NOW }, TASK, NOW + 30_000, LONG_AGO) <= NOW + 30_000);
});

test('what a clock that was wrong wrote down keeps no task for ever', async (t) => {
  const wrong = NOW + 1000 * HOUR;
  t.equal(dueAt({ ...RAN, next_at: wrong }, TASK, NOW, LONG_AGO), NOW);
  const held = begun({ ...RAN, next_at: NOW }, 'b', 30, wrong);
  t.equal(dueAt(held, TASK, NOW, LONG_AGO), NOW);
});

test('after failures it waits longer each time, up to its period, or a minute if that is longer', async (t) => {
  const pauses = (periodMs: number) =>
    [0, 1, 2, 3, 4, 5, 20].map((failures) => pauseAfter(failures, { periodMs }) / 1000);
  t.strictSame(pauses(HOUR), [3600, 5, 10, 20, 40, 80, 3600]);
  t.strictSame(pauses(5000), [5, 5, 10, 20, 40, 60, 60]);
});

test('the end of a run is noted, a failure counted, a success forgets failures', async (t) => {
  const run = { began_at: NOW, ended_at: NOW + 2000, worker: 'b' };
  const held = begun(RAN, 'b', 30, NOW);
  const failed = ended(held, TASK, { ...run, error: 'no' });
  t.strictSame(failed, {
    rev: 4,
    failures: 1,
    next_at: NOW + 2000 + 5000,
    last: { began_at: NOW, ended_at: NOW + 2000, worker: 'b', error: 'no' },
  });
  t.match(ended(begun(failed, 'b', 30, NOW), TASK, run), { failures: 0, next_at: NOW + 2000 + HOUR });
  t.strictSame(givenBack(held), { ...RAN, rev: 4 });
});
