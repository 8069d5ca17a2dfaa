/** The destination is killed while it receives, over many connections, the pieces of a copy that go into Manta. */
import { test } from 'tap';
import { MANTA_MODES, type MantaFor, mantaFor } from '../engines/manta.ts';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage, sha1Of } from '../helpers/images.ts';
import { assertSound, sha1Served } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const PIECE = 8 * MiB;
/** More than what is staged when it is killed, and what may be in memory beside that. */
const SIZE = 9 * PIECE + 5;

for (const mode of ['Manta v1', 'Manta v2 with uploads'] as const) {
  test(`a copy into ${mode} whose destination is killed fetches nothing again that is staged`, async (t) => {
    const { double, keys } = await mantaFor(t, MANTA_MODES[mode]);
    const { east, west } = await startCloud(t, { west: keys });
    const { image, bytes } = await makeImage(east.alice, {}, { size: SIZE });
    east.network.trouble = { kind: 'line', rtt: 20, bytesPerSecond: 4 * MiB };
    const before = east.network.received;
    await west.order(image.uuid, east.name);
    await waitFor('pieces to be staged', () => stagedBytes(double) >= 2 * PIECE);
    await west.kill();
    const staged = stagedBytes(double);
    const first = east.network.received - before;
    t.ok(first < SIZE, `${first} of ${SIZE} bytes had come`);
    t.ok(east.network.mostConnections >= 4, `${east.network.mostConnections} connections`);

    await west.start({ fault: 'copy:received=kill' });
    await west.diesByItself();
    const second = east.network.received - before - first;
    t.ok(second < SIZE - staged + 2 * MiB, `${second} bytes came although ${staged} of ${SIZE} were staged`);
    t.equal(stagedBytes(double), SIZE, 'all is staged when it is killed again');

    await west.start();
    t.match(await west.ended(image.uuid), { state: 'succeeded', images: [{ attempt: 3 }] });
    const third = east.network.received - before - first - second;
    t.ok(third < MiB, `${third} bytes came although all were staged`);
    t.equal(await sha1Served(west.alice, image.uuid), sha1Of(bytes));
    await assertSound(t, west);
  });
}

/** Bytes of the objects in which no reader looks. */
function stagedBytes({ tree }: MantaFor['double']): number {
  let sum = 0;
  for (const path of tree.all()) {
    if (!path.includes('/staging/')) continue;
    const node = tree.find(path.split('/').filter((part) => part !== ''));
    if (node?.kind === 'object') sum += node.bytes.length;
  }
  return sum;
}
