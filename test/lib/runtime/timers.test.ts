/** Timers for any time, on a clock of their own: nothing here waits. */
import { mock } from 'node:test';
import t, { type Test } from 'tap';
import { pause, startInterval, startTimer, timeLimit } from '#lib/runtime/timers.ts';

const DAY = 86_400_000;
const LONGEST = 2 ** 31 - 1;

function withClock(t: Test): void {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
}

for (const milliseconds of [5, DAY, LONGEST, LONGEST + 1, 30 * DAY, 2 * LONGEST, 36_500 * DAY]) {
  t.test(`a timer of ${milliseconds} ms fires then and not before`, async (t) => {
    withClock(t);
    let fired = 0;
    const timer = startTimer(() => {
      fired += 1;
    }, milliseconds);
    pass(milliseconds - 1);
    t.equal(fired, 0);
    // The mocked clock knows no refresh of the platform's own timers.
    if (milliseconds > LONGEST) {
      timer.refresh();
      pass(milliseconds - 1);
      t.equal(fired, 0, 'the time begins anew');
    }
    mock.timers.tick(1);
    t.equal(fired, 1);
    timer.refresh();
    pass(milliseconds);
    t.equal(fired, 1, 'what is over stays over');
    startTimer(() => t.fail('it was stopped'), milliseconds).stop();
    pass(milliseconds);
  });

  t.test(`an interval of ${milliseconds} ms comes again and again`, async (t) => {
    withClock(t);
    let fired = 0;
    const timer = startInterval(() => {
      fired += 1;
    }, milliseconds);
    for (const times of [1, 2, 3]) {
      pass(milliseconds - 1);
      t.equal(fired, times - 1);
      mock.timers.tick(1);
      t.equal(fired, times);
    }
    timer.stop();
    pass(milliseconds);
    t.equal(fired, 3);
  });
}

/** Step by step: the mocked clock runs only those timers that were there before the step. */
function pass(milliseconds: number): void {
  for (let left = milliseconds; left > 0; left -= LONGEST) mock.timers.tick(Math.min(left, LONGEST));
}

t.test('a pause ends with its time, or with the reason of its signal', async (t) => {
  await pause(1);
  const stop = new AbortController();
  const reason = new Error('enough');
  const pausing = pause(30 * DAY, stop.signal);
  stop.abort(reason);
  await t.rejects(pausing, reason);
  await t.rejects(pause(1, AbortSignal.abort(reason)), reason);
});

t.test('a time limit takes any time: fractions, none, and more than a month', async (t) => {
  for (const milliseconds of [2.3, 0, -1]) {
    const signal = timeLimit(milliseconds);
    // The limit itself keeps no process up.
    const alive = setInterval(() => {}, 1000);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    clearInterval(alive);
    t.equal(signal.reason.name, 'TimeoutError');
  }
  withClock(t);
  const signal = timeLimit(30 * DAY);
  pass(30 * DAY - 1);
  t.notOk(signal.aborted);
  mock.timers.tick(1);
  t.equal(signal.reason.name, 'TimeoutError');
});
