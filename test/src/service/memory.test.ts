/**
 * Memory that does not grow with what was served. It is counted in requests and not in time; in a process of its own,
 * started as operators start it.
 */
import { test } from 'tap';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { Mix } from '../../helpers/mix.ts';
import { residentBytes } from '../../helpers/resident.ts';

const MIB = 2 ** 20;
/** Enough for the caches to have filled, and for V8 to have compiled what it will. */
const WARM = 400;
const STEPS = 1200;
const AT_ONCE = 12;

test('a mix of requests leaves no memory behind, and takes 300 MB at the most', async (t) => {
  const server = await spawnImgapi(t);
  const mix = new Mix(server.url);
  t.teardown(() => mix.close());
  await mix.run(WARM, AT_ONCE);
  if (process.platform !== 'linux') return;
  const pid = server.process.pid as number;
  const { now: before } = await residentBytes(pid);
  await mix.run(STEPS, AT_ONCE);
  const { now: after } = await residentBytes(pid);
  t.strictSame([...mix.tally.surprises], [], 'all of it was served');
  t.comment(`${mix.tally.requests} requests: ${Math.round(before / MIB)} MiB, then ${Math.round(after / MIB)} MiB`);
  t.ok(after < 300 * 1e6, `${Math.round(after / 1e6)} MB are resident`);
  t.ok(after - before < 60 * MIB, `${Math.round((after - before) / MIB)} MiB more`);
});
