/** The destination is killed while a large file comes as pieces. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertSound, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const PIECE = 8 * MiB;
const SIZE = 12 * PIECE;
const CONNECTIONS = 2;

test('pieces that were verified before the destination died are not fetched again, nor copied', async (t) => {
  const { east, west } = await startCloud(t);
  await west.restart({ keys: { copies: { connections: CONNECTIONS } } });
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  east.network.trouble = { kind: 'line', rtt: 20, bytesPerSecond: 12 * MiB };
  const watch = watchImages(t, west, [image.uuid]);
  const before = east.network.received;
  await west.order(image.uuid, east.name);
  await waitFor('half of it', () => east.network.received >= before + SIZE / 2);
  await west.kill();
  const staging = join(west.dataDir, 'storage', 'staging');
  const [left = ''] = await readdir(staging);
  const { ino } = await stat(join(staging, left));
  await west.start();
  const inodes = new Set<number>();
  const ended = west.ended(image.uuid);
  let isOver = false;
  void ended.finally(() => (isOver = true));
  while (!isOver) {
    for (const name of await readdir(staging)) {
      const found = await stat(join(staging, name)).catch(() => undefined);
      if (found && name.startsWith('copy.')) inodes.add(found.ino);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.equal((await ended).state, 'succeeded');
  t.same([...inodes], [ino], 'the staged file went on');
  // A piece of each connection was on its way.
  const most = SIZE + CONNECTIONS * PIECE + 2 * MiB;
  const moved = east.network.received - before;
  t.ok(moved <= most, `${(moved / MiB).toFixed(1)} MiB came, at most ${(most / MiB).toFixed(1)} may`);
  await watch.end();
  await assertSound(t, west);
});
