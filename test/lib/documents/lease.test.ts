import { test } from 'tap';
import { isHeld, type Lease, LeaseKeeper, LeaseLostError, newLease } from '#lib/documents/lease.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import { waitFor } from '../../helpers/wait.ts';

test('a lease is held until its end, and one that ends later than any made now is not believed', async (t) => {
  const lease = newLease('a', 30, 1_000_000);
  t.strictSame(lease, { worker: 'a', until: 1_030_000, length: 30_000 });
  t.equal(isHeld(lease, 1_029_999), true);
  t.equal(isHeld(lease, 1_030_000), false);
  t.equal(isHeld(newLease('a', 30, 2_000_000), 1_000_000), false);
  t.equal(isHeld(undefined, 0), false);
});

/** A keeper that renews only when it is told to. */
function keep(clock: TestClock, renew: () => Promise<Lease>) {
  const missed: unknown[] = [];
  let lease = newLease('a', 1, clock.now());
  const keeper = new LeaseKeeper({
    clock,
    everyMs: 3600_000,
    lease: () => lease,
    renew: async () => {
      lease = await renew();
    },
    onMissed: (error) => missed.push(error),
  });
  return { keeper, missed };
}

test('a lease that is somebody else’s ends the work at once', async (t) => {
  const lost = new LeaseLostError('taken');
  const { keeper, missed } = keep(new TestClock(), () => Promise.reject(lost));
  await keeper.renew();
  t.equal(keeper.signal.reason, lost);
  t.strictSame(missed, [lost]);
  await keeper.end();
});

test('a renewal that fails ends the work only when the lease has run out', async (t) => {
  const clock = new TestClock();
  const failure = new Error('the database is away');
  let isAway = true;
  const { keeper, missed } = keep(clock, async () => {
    if (isAway) throw failure;
    return newLease('a', 1, clock.now());
  });
  await keeper.renew();
  t.equal(keeper.signal.aborted, false);
  isAway = false;
  clock.ahead += 900;
  await keeper.renew();
  isAway = true;
  clock.ahead += 900;
  await keeper.renew();
  t.equal(keeper.signal.aborted, false, 'it was renewed meanwhile');
  clock.ahead += 1000;
  await keeper.renew();
  t.match(keeper.signal.reason, { name: 'LeaseLostError', cause: failure });
  t.strictSame(missed, [failure, failure, failure]);
  await keeper.end();
});

test('renews by itself, and not any more after its end', async (t) => {
  let renewals = 0;
  const keeper = new LeaseKeeper({
    clock: new TestClock(),
    everyMs: 1,
    lease: () => undefined,
    renew: async () => {
      renewals += 1;
    },
    onMissed: (error) => t.error(error),
  });
  await waitFor('a few renewals', () => renewals >= 3);
  await keeper.end();
  const until = renewals;
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(renewals, until);
});
