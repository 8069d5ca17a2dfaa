/** What runs by the clock while others have filled the disk to the last byte. */
import { test } from 'tap';
import type { TaskStatus } from '#lib/api/schemas/maintenance.ts';
import { ALICE } from '../helpers/accounts.ts';
import { makeImage } from '../helpers/images.ts';
import { startInProcess } from '../helpers/imgapi.ts';
import { bytesFree, fill, smallDisk } from '../helpers/small-disk.ts';
import { TestClock } from '../helpers/test-clock.ts';
import { waitFor } from '../helpers/wait.ts';

const MiB = 2 ** 20;
/** Longer than the period of any task. */
const TWO_DAYS = 2 * 24 * 60 * 60 * 1000;

test('Tasks run on a full disk, and none of them is in the way when there is room again', async (t) => {
  const dataDir = smallDisk(t, 64);
  if (dataDir === undefined) return;
  const clock = new TestClock();
  // Files are dated by the machine's clock, which does not move.
  const keys = { storage: { headroomBytes: MiB }, sweep: { graceSeconds: TWO_DAYS } };
  const server = await startInProcess(t, keys, { dataDir, clock });
  const operator = server.client();
  const ranSince = (since: number): Promise<readonly TaskStatus[]> =>
    waitFor('all tasks to have run', async () => {
      const tasks = await operator.listTasks();
      const all = tasks.every(({ last_run: last }) => last && Date.parse(last.ended_at) >= since);
      return all && tasks;
    });
  await ranSince(0);
  const { image } = await makeImage(server.client({ account: ALICE }), {}, { size: MiB });
  const free = fill(dataDir);
  t.equal(bytesFree(dataDir), 0);
  clock.ahead += TWO_DAYS;
  const onFull = await ranSince(clock.now());
  const problems = onFull.flatMap(({ last_run: last }) => last?.error ?? []);
  t.ok(
    problems.every((problem) => /full|room|free/.test(problem)),
    `what failed did so for want of room: ${problems.join('; ')}`,
  );
  t.equal((await operator.getImage(image.uuid)).uuid, image.uuid);
  free();
  clock.ahead += TWO_DAYS;
  const after = await ranSince(clock.now());
  t.strictSame(
    after.filter(({ failures }) => failures > 0).map(({ name, last_run: last }) => `${name}: ${last?.error}`),
    [],
  );
});
