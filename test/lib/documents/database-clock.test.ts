import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { DatabaseClock } from '#lib/documents/database-clock.ts';

const HOUR_MS = 3600_000;

/** A database whose clock is ahead of this process by so much. */
function database(ahead: number, delay = 0) {
  const start = Date.now() - performance.now();
  const database = {
    ahead,
    delay,
    questions: 0,
    async ask() {
      database.questions += 1;
      await sleep(database.delay);
      return start + performance.now() + database.ahead;
    },
  };
  return { database, time: () => start + performance.now() + database.ahead };
}

test('the clock is that of the database, in whole milliseconds, and never before it was read', async (t) => {
  const { database: one, time } = database(HOUR_MS);
  const clock = new DatabaseClock();
  t.throws(() => clock.now(), /has not been read/);
  await clock.measure(one.ask);
  t.ok(Number.isSafeInteger(clock.now()));
  t.ok(Math.abs(clock.now() - time()) < 100, 'not that of this process');
  t.ok(one.questions <= 8);
});

test('a database that was set is believed, at once and in both directions', async (t) => {
  const { database: one, time } = database(0);
  const clock = new DatabaseClock();
  await clock.measure(one.ask);
  for (const ahead of [HOUR_MS, -HOUR_MS]) {
    one.ahead = ahead;
    await clock.measure(one.ask, 1);
    t.ok(Math.abs(clock.now() - time()) < 100, String(ahead));
  }
});

test('a slow answer that says the same changes nothing, and time does not go back', async (t) => {
  const { database: one, time } = database(0);
  const clock = new DatabaseClock();
  await clock.measure(one.ask);
  one.delay = 300;
  const before = clock.now();
  await clock.measure(one.ask, 1);
  t.ok(Math.abs(clock.now() - time()) < 100, 'taken for the middle of its way, it would be 150 ms ahead');
  t.ok(clock.now() >= before);
});

test('what asking throws is thrown', async (t) => {
  await t.rejects(
    new DatabaseClock().measure(() => Promise.reject(new Error('away'))),
    /away/,
  );
});
