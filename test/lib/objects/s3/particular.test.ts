/** What is S3's alone: parts, memory, limits of copies and of URLs, and what dead processes leave. */
import { test } from 'tap';
import { request } from 'undici';
import { InvalidSessionNameError, UnsupportedError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { pause } from '#lib/runtime/timers.ts';
import { bytes, get, MIB, pieces, put, same, sessionName } from '../../../conformance/objects/harness.ts';
import { s3UnderTest } from '../../../engines/s3.ts';
import { waitFor } from '../../../helpers/wait.ts';

const LARGE = bytes(11 * MIB + 3);

test('bytes that arrived before a process died are taken over, as far as there is no gap', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const dead = await open({ attempts: 1 });
  const session = await dead.open({ path: 'x', session: sessionName() });
  await session.append(pieces(bytes(16 * MIB)));
  // Neither flushed nor closed: what has arrived are three parts.
  await session.flush();
  const [upload] = double.bucket.uploads.values();
  t.strictSame([...(upload?.parts.keys() ?? [])].toSorted(), [1, 2, 3]);
  upload?.parts.delete(2);
  const store = await open();
  const taker = await store.open({ path: 'x', session: sessionName(), takeOver: { session: session.session } });
  t.equal(taker.size, 5 * MIB);
  await taker.append(pieces(bytes(16 * MIB).subarray(taker.size)));
  await taker.commit();
  await store.discard(session.session);
  same(t, await get(store, 'x'), bytes(16 * MIB), 'whole');
  t.strictSame(await residue(), []);
});

test('64 sessions whose sources wait for each other share four blocks of memory', async (t) => {
  const { open, residue } = await s3UnderTest(t);
  const store = await open({ patience: 5 });
  const COUNT = 64;
  const begun = Promise.withResolvers<void>();
  let waiting = 0;
  async function* source(whole: Buffer): AsyncGenerator<Uint8Array> {
    yield whole.subarray(0, 1000);
    waiting += 1;
    // Nobody goes on before everybody has begun: each must give its memory up meanwhile.
    if (waiting === COUNT) begun.resolve();
    await begun.promise;
    yield* pieces(whole.subarray(1000));
  }
  await Promise.all(
    Array.from({ length: COUNT }, async (_, seed) => {
      const whole = bytes(20_000 + seed, seed);
      const session = await store.open({ path: `x/${seed}`, session: sessionName() });
      await session.append(source(whole));
      await session.commit();
      same(t, await get(store, `x/${seed}`), whole, `object ${seed}`);
    }),
  );
  t.strictSame(await residue(), []);
});

/** Sessions whose sources send a byte now and then, and have all four blocks of memory. */
async function trickling(store: ObjectStore, count: number) {
  let isOver = false;
  async function* trickle(): AsyncGenerator<Uint8Array> {
    while (!isOver) {
      yield bytes(1);
      await pause(1);
    }
  }
  const slow = await Promise.all(
    Array.from({ length: count }, (_, at) => store.open({ path: `slow/${at}`, session: sessionName() })),
  );
  const appends = slow.map((session) => session.append(trickle()));
  await waitFor('all memory to be taken', () => slow.filter(({ size }) => size > 0).length >= 4);
  const end = () => {
    isOver = true;
  };
  return { slow, appends, end };
}

test('sources that trickle do not keep the memory to themselves', async (t) => {
  const { open, residue } = await s3UnderTest(t);
  const store = await open({ patience: 5, turn: 50 });
  const { slow, appends, end } = await trickling(store, 4);
  await put(store, 'x', LARGE);
  end();
  await Promise.all(appends);
  for (const session of slow) {
    const { size } = session;
    await session.commit();
    t.ok((await get(store, session.path)).equals(Buffer.alloc(size, bytes(1))));
  }
  same(t, await get(store, 'x'), LARGE, 'the one that came last');
  t.strictSame(await residue(), []);
});

test('many sources that never fall silent, but send next to nothing, hold nobody up', async (t) => {
  const { open, residue } = await s3UnderTest(t);
  const store = await open({ patience: 5, turn: 600_000 });
  const { slow, appends, end } = await trickling(store, 12);
  // Those that are discarded amid it are cut off.
  const ended = Promise.allSettled(appends);
  await put(store, 'x', LARGE);
  same(t, await get(store, 'x'), LARGE, 'the one that came last');
  end();
  await Promise.all(slow.map((session) => session.discard()));
  await ended;
  t.strictSame(await residue(), []);
});

for (const manta of [false, true]) {
  test(`an object beyond the limit of one copy is copied ${manta ? 'whole where parts cannot be' : 'in parts'}`, async (t) => {
    const { double, open, residue } = await s3UnderTest(t, { manta });
    const store = await open({ copy: 6 * MIB, copyPart: 6 * MIB });
    await put(store, 'x', LARGE);
    same(t, await get(store, 'x'), LARGE, 'committed');
    await store.serverCopy('x', 'y/z');
    same(t, await get(store, 'y/z'), LARGE, 'copied');
    t.equal(double.asked.includes('CopyObject'), manta);
    t.ok(double.asked.includes('UploadPartCopy'));
    t.strictSame(await residue(), []);
  });
}

test('what is being copied is nothing to sweep', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open({ copy: 6 * MIB, copyPart: 6 * MIB });
  await put(store, 'x', LARGE);
  const end = Promise.withResolvers<void>();
  double.faults.plan('UploadPartCopy', { kind: 'wait', until: end.promise });
  double.asked.length = 0;
  const copying = store.serverCopy('x', 'y');
  await waitFor('the copy', () => double.asked.includes('UploadPartCopy'));
  t.strictSame(await (await open()).sessions(), []);
  t.strictSame(await store.leftovers(-60_000), [], 'nor a leftover');
  end.resolve();
  await copying;
  same(t, await get(store, 'y'), LARGE, 'copied');
  t.strictSame(await residue(), []);
});

test('a copy that fails leaves no upload behind', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open({ copy: 6 * MIB, copyPart: 6 * MIB, attempts: 1 });
  await put(store, 'x', LARGE);
  double.faults.plan('UploadPartCopy', { kind: 'cut' }, 10);
  await t.rejects(store.serverCopy('x', 'y'), { name: 'ObjectStoreUnavailableError' });
  t.equal(await store.info('y'), undefined);
  t.strictSame(await residue(), []);
});

test('a URL is signed for seven days at most', async (t) => {
  const { open } = await s3UnderTest(t);
  const store = await open();
  await put(store, 'x', bytes(10));
  const day = 86_400_000;
  const url = await store.signUrl('x', new Date(Date.now() + 7 * day - 1000));
  const { statusCode, body } = await request(url);
  await body.dump();
  t.equal(statusCode, 200);
  await t.rejects(store.signUrl('x', new Date(Date.now() + 7 * day + 60_000)), UnsupportedError);
});

test('staged objects that no session knows are found once they are old, and removed', async (t) => {
  const { double, open, residue } = await s3UnderTest(t);
  const store = await open();
  double.bucket.put('p/dc/staging/gone/tail', Buffer.alloc(7));
  double.bucket.begin('p/dc/images/x', {});
  double.bucket.begin('p/other/images/x', {});
  const session = await store.open({ path: 'x', session: sessionName() });
  await session.append(pieces(LARGE));
  await session.flush();
  t.strictSame(await store.leftovers(), []);
  const left = await store.leftovers(-60_000);
  t.match(
    left.map(({ size }) => size),
    [7, 0],
  );
  for (const leftover of left) await store.removeLeftover(leftover);
  await session.commit();
  t.strictSame(await residue(), ['upload to p/other/images/x'], "another datacenter's");
  for (const name of ['a', '~object/p/other/x', '~upload/1/p/other/x', '~object/p/dc/images/x']) {
    await t.rejects(store.removeLeftover({ session: name, size: 0, mtime: new Date() }), InvalidSessionNameError, name);
  }
});

test('the memory of bytes that were sent on is free at once, without the garbage collector', async (t) => {
  const { open } = await s3UnderTest(t);
  const store = await open();
  await put(store, 'x', LARGE);
  const { stream } = await store.read('x');
  const copies: Buffer[] = [];
  let freed = 0;
  for await (const piece of stream as AsyncIterable<Buffer>) {
    copies.push(Buffer.from(piece));
    stream.recycle?.(piece);
    if (piece.byteLength === 0) freed += copies.at(-1)?.length ?? 0;
  }
  same(t, Buffer.concat(copies), LARGE, 'whole');
  t.ok(freed > LARGE.length / 2, `${freed} bytes were freed`);
});
