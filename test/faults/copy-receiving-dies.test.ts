/** The destination is killed while it receives the bytes of a copy. */
import { test } from 'tap';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertMoved, assertSound, watchImages } from '../helpers/invariants.ts';
import { COPY_SIZE, copyThrough, type Death } from '../helpers/killed-copy.ts';
import { waitFor } from '../helpers/wait.ts';

const DEATHS: readonly Death[] = [
  { when: 'when the order is recorded', fault: 'copy:order-recorded=kill' },
  { when: 'when a worker took the transfer up', fault: 'copy:transfer-claimed=kill' },
  { when: 'in the middle of the bytes', fault: 'copy:receiving=kill@30' },
  { when: 'when all bytes are there', fault: 'copy:received=kill' },
];

test('A copy goes on where it was when its destination dies and comes back', async (t) => {
  const cloud = await startCloud(t);
  const { east, west } = cloud;
  for (const death of DEATHS) {
    await t.test(`killed ${death.when}`, (t) => copyThrough(t, cloud, death));
  }

  await t.test('killed again and again at any moment', async (t) => {
    const { image } = await makeImage(east.alice, {}, { size: COPY_SIZE });
    east.network.trouble = { kind: 'slow', bytesPerSecond: 12 * MiB };
    const watch = watchImages(t, west, [image.uuid]);
    const before = east.network.received;
    await west.order(image.uuid, east.name);
    for (const part of [0.05, 0.3, 0.6, 0.85, 0.99]) {
      await waitFor('bytes to flow', () => east.network.received >= before + part * COPY_SIZE);
      await west.restart();
    }
    t.equal((await west.ended(image.uuid)).state, 'succeeded');
    assertMoved(t, east.network.received - before, COPY_SIZE);
    await watch.end();
    await assertSound(t, west);
  });
  await assertSound(t, east);
});
