/** The destination is killed while it receives, over many connections, the pieces of a copy that go into S3. */
import { test } from 'tap';
import { s3For } from '../engines/s3.ts';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertSound } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const SIZE = 44 * MiB;

test('a copy into S3 ends although its destination is killed in the middle', async (t) => {
  const { keys } = await s3For(t);
  const { east, west } = await startCloud(t, { west: keys });
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  east.network.trouble = { kind: 'line', rtt: 20, bytesPerSecond: 4 * MiB };
  const before = east.network.received;
  await west.order(image.uuid, east.name);
  for (const part of [0.3, 0.9]) {
    await waitFor('bytes to flow', () => east.network.received >= before + part * SIZE);
    await west.restart();
  }
  t.ok(east.network.mostConnections > 4, `${east.network.mostConnections} connections`);
  east.network.trouble = { kind: 'none' };
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  await assertSound(t, west);
});
