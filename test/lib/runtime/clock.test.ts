import { test } from 'tap';
import { lasts } from '#lib/runtime/clock.ts';

test('what ends later than it could is over: a clock that was wrong holds nothing for ever', async (t) => {
  const [now, length] = [1_000_000, 60_000];
  t.ok(lasts(now + length, length, now), 'it has just begun');
  t.ok(lasts(now + 1, length, now));
  t.notOk(lasts(now, length, now), 'it is over');
  t.notOk(lasts(Number.NaN, length, now));
  t.ok(lasts(now + length + 1000, length, now), 'a clock that was put back by a second spoils nothing');
  t.notOk(lasts(now + 10 * 24 * 3600_000, length, now), 'ten days ahead');
});
