/** Hashing takes so much memory and no more, however many streams there are and however slow. */
import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { type Test, test } from 'tap';
import { HashingError } from '#lib/objects/errors.ts';
import { opensslDigests } from '#lib/objects/hashing/openssl.ts';
import { HashPool } from '#lib/objects/hashing/pool.ts';
import type { Block } from '#lib/objects/hashing/ring.ts';
import type { HashStream } from '#lib/objects/hashing/stream.ts';
import { bytes, hashesOf, MIB } from '../../conformance/objects/harness.ts';

/** What streams may share, see blocks.ts. */
const SHARED = 10 * MIB;
const SHARED_BLOCKS = 8 + 64;

function makePool(t: Test, inThreads: boolean): HashPool {
  const pool = new HashPool({ inThreads });
  t.teardown(() => pool.close());
  return pool;
}

function fill({ bytes: block }: Block, from: Uint8Array): number {
  const part = from.subarray(0, block.length);
  block.set(part);
  return part.length;
}

async function feed(stream: HashStream, whole: Uint8Array): Promise<void> {
  for (let at = 0; at < whole.length; ) {
    const block = await stream.block();
    const length = fill(block, whole.subarray(at));
    stream.update(block, length);
    at += length;
  }
}

test('where there is an OpenSSL in Node, no thread of Node hashes', async (t) => {
  let started = 0;
  const onWorker = () => {
    started += 1;
  };
  process.on('worker', onWorker);
  t.teardown(() => process.off('worker', onWorker));
  const stream = makePool(t, false).open();
  await feed(stream, bytes(2 * MIB));
  t.strictSame(await stream.digest(), hashesOf(bytes(2 * MIB)));
  stream.close();
  t.equal(started, opensslDigests() ? 0 : 2);
  t.equal(opensslDigests() !== undefined, process.platform === 'linux', 'as on Linux there is');
});

for (const [where, inThreads] of [
  ['OpenSSL', false],
  ['threads of Node', true],
] as const) {
  test(`${where}: many streams at once have the right hashes, in memory that does not grow with them`, async (t) => {
    const pool = makePool(t, inThreads);
    const sources = Array.from({ length: 30 }, (_, at) => bytes(3 * MIB + at));
    const { arrayBuffers: before } = process.memoryUsage();
    const streams = sources.map(() => pool.open());
    let most = 0;
    await Promise.all(
      streams.map(async (stream, at) => {
        const whole = sources[at] as Uint8Array;
        for (let from = 0; from < whole.length; from += MIB / 2) {
          await feed(stream, whole.subarray(from, from + MIB / 2));
          most = Math.max(most, process.memoryUsage().arrayBuffers - before);
        }
        t.strictSame(await stream.digest(), hashesOf(whole));
        stream.close();
      }),
    );
    // 8 MiB for each, as it once was, would be 240.
    t.ok(most < SHARED + 30 * (MIB / 2) + 4 * MIB, `${most} bytes`);
  });

  test(`${where}: a stream goes on while others hold all the memory and stand still`, async (t) => {
    const pool = makePool(t, inThreads);
    const idle: Block[] = [];
    for (let holder = 0; holder < SHARED_BLOCKS; holder++) {
      const stream = pool.open();
      t.teardown(() => stream.close());
      await feed(stream, bytes(MIB / 4));
      idle.push(await stream.block());
    }
    t.ok(
      idle.every(({ index }) => index !== undefined),
      'nothing is left, large or small',
    );
    const whole = bytes(5 * MIB + 1);
    const stream = pool.open();
    await feed(stream, whole);
    t.strictSame(await stream.digest(), hashesOf(whole));
    stream.close();
  });

  test(`${where}: hashes can be had on the way, and what is closed amid its work harms no other`, async (t) => {
    const pool = makePool(t, inThreads);
    const whole = bytes(6 * MIB + 7);
    const [kept, given] = [pool.open(), pool.open()];
    await Promise.all([feed(kept, whole.subarray(0, 3 * MIB)), feed(given, whole)]);
    const asked = given.digest();
    given.close();
    await t.rejects(asked, HashingError);
    t.strictSame(await kept.digest(), hashesOf(whole.subarray(0, 3 * MIB)), 'on the way');
    await feed(kept, whole.subarray(3 * MIB));
    t.strictSame(await kept.digest(), hashesOf(whole));
    await pool.close();
    await t.rejects(kept.digest(), HashingError, 'its hasher is gone');
  });
}

test('what a stream held is there for others when it is closed, also when its threads died', async (t) => {
  const pool = makePool(t, true);
  const workers: Worker[] = [];
  const onWorker = (worker: Worker) => workers.push(worker);
  process.on('worker', onWorker);
  t.teardown(() => process.off('worker', onWorker));
  for (let round = 0; round < 20; round++) {
    const stream = pool.open();
    await feed(stream, bytes(MIB / 4));
    const block = await stream.block();
    t.type(block.index, 'number', `round ${round}: it is shared memory`);
    if (round === 10) {
      for (const worker of workers) {
        const ended = once(worker, 'exit');
        await worker.terminate();
        await ended;
      }
    }
    stream.close();
    stream.update(block, block.bytes.length);
  }
});
