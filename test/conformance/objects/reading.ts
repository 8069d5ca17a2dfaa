import { InvalidRangeError, ObjectNotFoundError } from '#lib/objects/errors.ts';
import { bytes, collect, type Define, get, hashesOf, MIB, put, same } from './harness.ts';

export function readTests(define: Define): void {
  define('a range gives its bytes, both ends included', async (t, { store }) => {
    const whole = bytes(3 * MIB);
    await put(store, 'x', whole);
    const last = whole.length - 1;
    const ranges = [
      { start: 0, end: 0 },
      { start: 1, end: 1 },
      { start: 5, end: 9 },
      { start: MIB - 1, end: MIB },
      { start: 1000, end: 2 * MIB + 7 },
      { start: last, end: last },
      { start: 0, end: last },
      { start: 7 },
      { end: 99 },
      {},
    ];
    for (const range of ranges) {
      const { info, stream } = await store.read('x', range);
      t.match(info, { path: 'x', size: whole.length });
      const wanted = whole.subarray(range.start ?? 0, (range.end ?? last) + 1);
      same(t, await collect(stream), wanted, JSON.stringify(range));
    }
  });

  define('a range that ends after the object ends with it', async (t, { store }) => {
    await put(store, 'x', bytes(100));
    same(t, await get(store, 'x', { start: 90, end: 1000 }), bytes(100).subarray(90), 'the tail');
  });

  define('the size that info tells is enough to read the last bytes', async (t, { store }) => {
    await put(store, 'x', bytes(1000));
    for (const suffix of [1, 999, 1000, 5000]) {
      const size = (await store.info('x'))?.size ?? 0;
      const start = Math.max(0, size - suffix);
      same(t, await get(store, 'x', { start }), bytes(1000).subarray(start), `the last ${suffix}`);
    }
  });

  define('a range that begins after the end, or ends before it begins, is refused', async (t, { store }) => {
    await put(store, 'x', bytes(100));
    for (const range of [{ start: 100 }, { start: 101 }, { start: 100, end: 200 }, { start: 5, end: 4 }]) {
      await t.rejects(store.read('x', range), { name: 'InvalidRangeError', size: 100 }, JSON.stringify(range));
    }
    for (const start of [-1, 1.5, Number.NaN]) {
      await t.rejects(store.read('x', { start }), InvalidRangeError, `${start}`);
    }
  });

  define('an object without bytes can be read from its start only', async (t, { store }) => {
    await put(store, 'x', Buffer.alloc(0));
    same(t, await get(store, 'x'), Buffer.alloc(0), 'whole');
    same(t, await get(store, 'x', { start: 0, end: 10 }), Buffer.alloc(0), 'a range from 0');
    await t.rejects(store.read('x', { start: 1 }), { name: 'InvalidRangeError', size: 0 });
  });

  define('what is not there is told as such', async (t, { store }) => {
    const { supportsLink } = store.capabilities;
    await put(store, 'dir/x', bytes(1));
    for (const path of ['nothing', 'dir', 'dir/y', 'dir/x/y']) {
      t.equal(await store.info(path), undefined, path);
      await t.rejects(store.read(path), ObjectNotFoundError, path);
      await t.rejects(store.hash(path), ObjectNotFoundError, path);
      if (supportsLink) await t.rejects(store.link(path, 'z'), ObjectNotFoundError, path);
    }
    t.equal(await store.info('z'), undefined);
  });

  define('an object that is replaced or removed while it is read goes on whole', async (t, { store, reopen }) => {
    const other = await reopen();
    const whole = bytes(8 * MIB);
    await put(store, 'x', whole);
    const replaced = await store.read('x');
    const first = await replaced.stream.iterator({ destroyOnReturn: false }).next();
    await put(other, 'x', bytes(9 * MIB, 2));
    same(t, Buffer.concat([first.value, await collect(replaced.stream)]), whole, 'replaced');
    const removed = await store.read('x');
    await other.remove('x');
    same(t, await collect(removed.stream), bytes(9 * MIB, 2), 'removed');
  });

  define('an abort ends a read', async (t, { store }) => {
    await put(store, 'x', bytes(8 * MIB));
    const abort = new AbortController();
    const { stream } = await store.read('x', { signal: abort.signal });
    const reading = (async () => {
      for await (const _ of stream) {
        abort.abort();
      }
    })();
    await t.rejects(reading, { name: 'AbortError' });
    t.ok(stream.destroyed);
    await t.rejects(store.read('x', { signal: AbortSignal.abort(new Error('no')) }), { message: 'no' });
    await t.rejects(store.hash('x', AbortSignal.abort(new Error('no'))), { message: 'no' });
  });

  define('a reader may leave early', async (t, { store }) => {
    await put(store, 'x', bytes(8 * MIB));
    for (let turn = 0; turn < 20; turn += 1) {
      const { stream } = await store.read('x');
      stream.on('error', () => t.fail('leaving is no error'));
      stream.destroy();
      await new Promise((resolve) => stream.once('close', resolve));
    }
  });

  define('hashing reads what is stored again', async (t, { store }) => {
    for (const size of [0, 1000, 6 * MIB + 1]) {
      await put(store, 'x', bytes(size));
      t.strictSame(await store.hash('x'), { ...hashesOf(bytes(size)), size });
      const { sha1, md5 } = hashesOf(bytes(size));
      t.strictSame(await store.md5('x'), { sha1, md5 });
    }
    await t.rejects(store.md5('absent'), ObjectNotFoundError);
    await t.rejects(store.md5('x', AbortSignal.abort(new Error('no'))), { message: 'no' });
  });
}
