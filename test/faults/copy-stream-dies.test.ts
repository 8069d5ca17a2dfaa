/** The destination dies, or the copy is canceled, while the rest of a large file comes as one stream, as on a fast line. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { assertSound, watchImages } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';

const PIECE = 8 * MiB;
/** No multiple of a piece. */
const SIZE = 12 * PIECE + 5;
/** A rate that any line has. */
const KEYS = { copies: { connections: 4, oneStreamRate: 1 } };
const LINE = { kind: 'line', rtt: 1, bytesPerSecond: 24 * MiB } as const;

test('a copy that came as one stream ends whole however often the destination dies, with one wrong byte too', async (t) => {
  const { east, west } = await startCloud(t);
  await west.restart({ keys: KEYS });
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  const watch = watchImages(t, west, [image.uuid]);
  const before = east.network.received;
  // In the stream: pieces came before it, four at a time.
  east.network.trouble = { ...LINE, flip: 7 * PIECE };
  await west.order(image.uuid, east.name);
  // In the stream, at its end or where its wrong byte is found, and among the pieces that are looked at then.
  for (const part of [0.7, 1, 1.01]) {
    await waitFor(`${part} of it`, () => east.network.received >= before + SIZE * part, 10_000).catch(() => undefined);
    await west.restart();
  }
  t.ok(east.network.flipped, 'a byte was wrong');
  east.network.trouble = { kind: 'none' };
  t.equal((await west.ended(image.uuid)).state, 'succeeded');
  // Four pieces were on their way at each death, and one of them was wrong.
  const most = SIZE + 3 * 5 * PIECE;
  const moved = east.network.received - before;
  t.ok(moved <= most, `${(moved / MiB).toFixed(1)} MiB came, at most ${(most / MiB).toFixed(1)} may`);
  await watch.end();
  await assertSound(t, west);
});

test('a copy that is canceled while it comes as one stream leaves nothing', async (t) => {
  const { east, west } = await startCloud(t);
  await west.restart({ keys: KEYS });
  const { image } = await makeImage(east.alice, {}, { size: SIZE });
  const before = east.network.received;
  east.network.trouble = LINE;
  await west.order(image.uuid, east.name);
  await waitFor('most of it', () => east.network.received >= before + SIZE * 0.7);
  await west.alice.cancelImageCopy(image.uuid);
  t.equal((await west.ended(image.uuid)).state, 'canceled');
  const staging = join(west.dataDir, 'storage', 'staging');
  await waitFor('the staged file to go', async () => (await readdir(staging)).length === 0);
  await assertSound(t, west);
});
