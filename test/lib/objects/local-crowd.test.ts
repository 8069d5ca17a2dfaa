/** What each of many streams holds: the more there are, the less. */
import { once } from 'node:events';
import { type Test, test } from 'tap';
import { HashPool } from '#lib/objects/hashing/pool.ts';
import type { Block } from '#lib/objects/hashing/ring.ts';
import type { HashStream } from '#lib/objects/hashing/stream.ts';
import { openLocalStore } from '#lib/objects/local/store.ts';
import type { ByteSource } from '#lib/objects/object-store.ts';
import { bytes, collect, KIB, MIB, put, same } from '../../conformance/objects/harness.ts';

async function firstPiece(stream: ByteSource): Promise<Buffer> {
  if (stream.readableLength === 0) {
    stream.read(0);
    await once(stream, 'readable');
  }
  return stream.read() as Buffer;
}

test('a download beside many others is read in smaller pieces, and in large ones again when they are gone', async (t) => {
  const store = await openLocalStore({ root: t.testdir() });
  t.teardown(() => store.close());
  const whole = bytes(2 * MIB);
  await put(store, 'x', whole);
  const read = async () => (await store.read('x')).stream;
  const many = await Promise.all(Array.from({ length: 40 }, read));
  const beside = await read();
  t.ok((await firstPiece(beside)).length <= 32 * KIB);
  const another = await read();
  same(t, await collect(another), whole, 'the same bytes');
  for (const stream of [...many, beside]) {
    stream.destroy();
    await once(stream, 'close');
  }
  const alone = await read();
  t.equal((await firstPiece(alone)).length, 512 * KIB);
  alone.destroy();
});

test('an upload gets a small block while others hold the large ones, and little memory of its own while they hold all', async (t) => {
  const pool = new HashPool({ threads: 2 });
  t.teardown(() => pool.close());
  await withBlocks(t, pool, 8);
  for (let holder = 0; holder < 64; holder += 1) {
    const [, [block]] = await withBlocks(t, pool, 1);
    t.match(block, { index: Number, bytes: { length: 32 * KIB } }, `upload ${holder}`);
  }
  const [late, blocks] = await withBlocks(t, pool, 1);
  t.strictSame([blocks[0]?.index, blocks[0]?.bytes.length], [undefined, 32 * KIB]);
  const [block] = blocks;
  if (block) late.update(block, 10);
  t.ok((await late.digest()).sha1);
});

/** A stream beyond the bytes that take no thread. */
async function withBlocks(t: Test, pool: HashPool, count: number): Promise<[HashStream, Block[]]> {
  const stream = pool.open();
  t.teardown(() => stream.close());
  const small = await stream.block();
  stream.update(small, small.bytes.length);
  const blocks: Block[] = [];
  for (let i = 0; i < count; i += 1) blocks.push(await stream.block());
  return [stream, blocks];
}
