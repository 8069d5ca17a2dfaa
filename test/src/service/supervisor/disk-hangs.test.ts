/** Workers that wait for a disk cannot be killed: what their supervisor does until it is back. */
import { join } from 'node:path';
import { test } from 'tap';
import { request } from 'undici';
import { pause } from '#lib/runtime/timers.ts';
import { breakableDisk } from '../../../helpers/broken-disk.ts';
import { MANIFEST } from '../../../helpers/images.ts';
import { startFleet } from './fleet.ts';

test('A worker that hangs in a write is told of once, however long it does, and replaced when the disk is back', async (t) => {
  const disk = breakableDisk(t);
  if (!disk) return;
  const server = await startFleet(t, 1, { workerSilenceSeconds: 1 }, ['--workers', '1'], join(disk.folder, 'data'));
  const before = await server.pids();
  disk.freeze();
  try {
    const body = JSON.stringify(MANIFEST);
    const headers = { 'content-type': 'application/json' };
    void request(`${server.url}/images`, { method: 'POST', headers, body }).catch(() => undefined);
    // Many of the supervisor's looks.
    await pause(6000);
  } finally {
    disk.thaw();
  }
  await server.others(before, 1);
  t.equal(server.log().split('a worker hangs and is killed').length - 1, 1);
  t.equal(await server.stop(), 0);
});
