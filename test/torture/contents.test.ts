/** What torture uploads is what it takes for it, and is large now and then. */
import { test } from 'tap';
import { MiB } from '../helpers/cloud.ts';
import { sha1Of } from '../helpers/images.ts';
import { seeded } from '../helpers/random.ts';
import { type Content, Contents, streamOf } from './contents.ts';

test('bytes are the same each time they are sent, some are large, and some come again', async (t) => {
  const contents = new Contents();
  const random = seeded(1);
  const made: Content[] = [];
  for (let i = 0; i < 150; i++) made.push(await contents.next(random, 0));
  const large = made.filter(({ isLarge }) => isLarge);
  t.ok(large.length > 0 && large.length < 30, `${large.length} of 150 are large`);
  t.ok(large.every(({ size }) => size > 32 * MiB && size <= 70 * MiB));
  t.ok(large.some(({ size }) => size >= 64 * MiB));
  t.ok(large.every(({ sha1 }) => contents.isLarge(sha1)));
  for (const isLarge of [true, false]) t.ok(made.some((one) => one.isLarge === isLarge && one.isAgain));
  const content = made.find((one) => !one.isLarge);
  for (const time of content ? ['first', 'second'] : []) {
    const bytes = Buffer.concat(content ? await streamOf(content).toArray() : []);
    const rest = Buffer.concat(content ? await streamOf(content, 777, 99).toArray() : []);
    t.ok(rest.equals(bytes.subarray(777, 777 + 99)), 'a part is one of the whole');
    t.match({ size: bytes.length, sha1: sha1Of(bytes) }, { size: content?.size, sha1: content?.sha1 }, `${time} time`);
  }
});

test('there are never more large ones than fit on the disk', async (t) => {
  const contents = new Contents();
  const random = seeded(1);
  for (let i = 0; i < 60; i++) t.notOk((await contents.next(random, 100)).isLarge);
});
