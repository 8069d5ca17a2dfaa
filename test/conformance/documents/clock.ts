import type { Test } from 'tap';
import type { Make } from './make.ts';
import { openThings } from './things.ts';

/** Milliseconds by which the clocks of two machines may differ. */
const APART = 60_000;

export async function clockTests(t: Test, make: Make): Promise<void> {
  await t.test('the clock goes with the time, and is the same for all', async (t) => {
    const { store, reopen } = await openThings(t, make);
    const other = await reopen();
    const first = store.now();
    t.ok(Number.isSafeInteger(first), 'whole milliseconds');
    t.ok(Math.abs(first - Date.now()) < APART);
    const second = other.now();
    const third = store.now();
    t.ok(first - 1 <= second && second <= third + 1, `${first}, ${second}, ${third}`);
  });

  await t.test('it is the clock of the database, not that of the process', async (t) => {
    const { store, put, bucket } = await openThings(t, make);
    const { now } = Date;
    t.teardown(() => {
      Date.now = now;
    });
    const before = store.now();
    Date.now = () => now() + 10 * 24 * 3600_000;
    const within = store.now();
    await put({ a: {} });
    Date.now = now;
    const after = store.now();
    t.ok(before <= within && within <= after, 'a process whose clock is ahead is not believed');
    const { mtime = 0 } = (await store.get(bucket, 'a')) ?? {};
    t.ok(within <= mtime && mtime <= after, 'times of writes are by it too');
  });
}
