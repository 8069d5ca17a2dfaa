import { PassThrough } from 'node:stream';
import { ObjectNotFoundError, TooLargeError } from '#lib/objects/errors.ts';
import { waitFor } from '../../helpers/wait.ts';
import { bytes, type Define, failing, get, hashesOf, KIB, MIB, pieces, put, same, sessionName } from './harness.ts';

const SIZES = [0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 256 * KIB, 256 * KIB + 1, MIB, 9 * MIB + 17];

export function writeTests(define: Define): void {
  for (const size of SIZES) {
    define(`an object of ${size} bytes comes back as it was written, with its hashes`, async (t, { store, reopen }) => {
      const whole = bytes(size);
      const session = await store.open({ path: 'a/b/c', session: sessionName(), expect: size });
      await session.append(pieces(whole));
      t.equal(session.size, size);
      t.strictSame(await session.hashes(), hashesOf(whole));
      const info = await session.commit();
      t.match(info, { path: 'a/b/c', size });
      same(t, await get(store, 'a/b/c'), whole, 'read');
      const other = await reopen();
      t.match(await other.info('a/b/c'), { path: 'a/b/c', size, mtime: info.mtime });
      t.strictSame(await other.hash('a/b/c'), { ...hashesOf(whole), size });
    });
  }

  for (const size of [1, 1000, 5 * MIB]) {
    define(`pieces of ${size} bytes make the same object`, async (t, { store }) => {
      const whole = bytes(Math.min(size * 1000, 11 * MIB + 1));
      const session = await store.open({ path: 'x', session: sessionName() });
      await session.append(pieces(whole, size));
      await session.commit();
      same(t, await get(store, 'x'), whole, 'read');
    });
  }

  define('a session knows its name, its path and its size', async (t, { store }) => {
    const name = sessionName();
    const session = await store.open({ path: 'x/y', session: name });
    t.match(session, { session: name, path: 'x/y', size: 0 });
    await session.append(pieces(bytes(10)));
    t.equal(session.size, 10);
    await session.discard();
  });

  define('an object is invisible until its commit', async (t, { store, reopen }) => {
    const other = await reopen();
    const session = await store.open({ path: 'dir/x', session: sessionName() });
    await session.append(pieces(bytes(3 * MIB)));
    await session.flush();
    for (const each of [store, other]) {
      t.equal(await each.info('dir/x'), undefined);
      await t.rejects(each.read('dir/x'), ObjectNotFoundError);
      t.strictSame(await each.list('dir'), []);
      t.strictSame(await each.list(''), []);
    }
    await session.commit();
    t.match(await other.info('dir/x'), { size: 3 * MIB });
  });

  define('a commit replaces what is there', async (t, { store }) => {
    await put(store, 'x', bytes(MIB, 1));
    await put(store, 'x', bytes(10, 2));
    same(t, await get(store, 'x'), bytes(10, 2), 'read');
    t.match(await store.info('x'), { size: 10 });
  });

  define('of sessions for one path the last to commit wins, whole', async (t, { store }) => {
    const a = await store.open({ path: 'x', session: sessionName() });
    const b = await store.open({ path: 'x', session: sessionName() });
    await Promise.all([a.append(pieces(bytes(2 * MIB, 1))), b.append(pieces(bytes(MIB, 2)))]);
    await b.commit();
    same(t, await get(store, 'x'), bytes(MIB, 2), 'first');
    await a.commit();
    same(t, await get(store, 'x'), bytes(2 * MIB, 1), 'second');
  });

  define('sessions side by side do not mix', async (t, { store }) => {
    await Promise.all(
      Array.from({ length: 12 }, async (_, seed) => {
        const whole = bytes(MIB + seed * 100_003, seed);
        const session = await store.open({ path: `many/${seed}`, session: sessionName() });
        await session.append(pieces(whole, 50_000 + seed));
        t.strictSame(await session.hashes(), hashesOf(whole));
        await session.commit();
        same(t, await get(store, `many/${seed}`), whole, `object ${seed}`);
      }),
    );
  });

  define('hashes and flush can be asked for on the way, again and again', async (t, { store }) => {
    const whole = bytes(3 * MIB);
    const session = await store.open({ path: 'x', session: sessionName() });
    t.strictSame(await session.hashes(), hashesOf(Buffer.alloc(0)));
    let done = 0;
    for (const length of [1, 100 * KIB, 155 * KIB, 2 * KIB, 0, MIB, 5]) {
      await session.append(pieces(whole.subarray(done, done + length)));
      done += length;
      t.equal(await session.flush(), done);
      t.strictSame(await session.hashes(), hashesOf(whole.subarray(0, done)));
      t.strictSame(await session.hashes(), hashesOf(whole.subarray(0, done)));
    }
    await session.commit();
    same(t, await get(store, 'x'), whole.subarray(0, done), 'read');
  });

  define('progress tells the growing size of the session, the last time all of it', async (t, { store }) => {
    const seen: number[] = [];
    const session = await store.open({ path: 'x', session: sessionName() });
    await session.append(pieces(bytes(5)));
    await session.append(pieces(bytes(9 * MIB)), { onProgress: (size) => seen.push(size) });
    t.equal(seen.at(-1), 9 * MIB + 5);
    t.ok(seen.length > 1);
    t.strictSame(
      seen,
      [...new Set(seen)].sort((a, b) => a - b),
    );
    await session.discard();
  });

  define('what arrived before the source failed stays, and the rest can follow', async (t, { store }) => {
    const whole = bytes(4 * MIB);
    const session = await store.open({ path: 'x', session: sessionName() });
    await t.rejects(session.append(failing(whole.subarray(0, 3 * MIB + 5), new Error('cut'))), { message: 'cut' });
    t.equal(session.size, 3 * MIB + 5);
    await t.rejects(session.append(failing(Buffer.alloc(0), new Error('cut again'))), { message: 'cut again' });
    await session.append(pieces(whole.subarray(session.size)));
    t.strictSame(await session.hashes(), hashesOf(whole));
    await session.commit();
    same(t, await get(store, 'x'), whole, 'read');
  });

  define('an abort ends the wait for a silent source at once, and keeps what arrived', async (t, { store }) => {
    const whole = bytes(700 * KIB);
    const source = new PassThrough({ highWaterMark: MIB });
    source.write(whole.subarray(0, 600 * KIB));
    const abort = new AbortController();
    const session = await store.open({ path: 'x', session: sessionName() });
    const appending = session.append(source, { signal: abort.signal });
    appending.catch(() => undefined);
    await waitFor('all that the source has to be read', () => source.readableLength === 0);
    abort.abort(new Error('enough'));
    await t.rejects(appending, { message: 'enough' });
    t.equal(session.size, 600 * KIB);
    await session.append(pieces(whole.subarray(session.size)));
    t.strictSame(await session.hashes(), hashesOf(whole));
    await session.commit();
    source.destroy();
  });

  define('an abort before the first byte takes none', async (t, { store }) => {
    const session = await store.open({ path: 'x', session: sessionName() });
    await t.rejects(session.append(pieces(bytes(5)), { signal: AbortSignal.abort(new Error('no')) }), {
      message: 'no',
    });
    t.equal(session.size, 0);
    await session.discard();
  });

  define('a stream that is not read to its end is left open for its owner', async (t, { store }) => {
    const source = new PassThrough();
    source.end(bytes(8 * KIB));
    const session = await store.open({ path: 'x', session: sessionName(), limit: 10 });
    await t.rejects(session.append(source), TooLargeError);
    t.notOk(source.destroyed);
    source.destroy();
    await session.discard();
  });

  define('more bytes than the limit are refused, as many are not', async (t, { store }) => {
    const session = await store.open({ path: 'x', session: sessionName(), limit: MIB });
    await session.append(pieces(bytes(MIB)));
    await t.rejects(session.append(pieces(bytes(1))), { name: 'TooLargeError', limit: MIB });
    t.equal(session.size, MIB);
    t.match(await session.commit(), { size: MIB });
    await t.rejects(store.open({ path: 'x', session: sessionName(), limit: 9, expect: 10 }), TooLargeError);
  });

  define('more than there is room for is refused before any byte flows', async (t, { store }) => {
    const free = await store.free();
    if (free === undefined) {
      t.comment('this store does not know its room');
      return;
    }
    const expect = free * 2;
    const refused = store.open({ path: 'x', session: sessionName(), expect });
    await t.rejects(refused, { name: 'InsufficientStorageError', needed: expect });
  });
}
