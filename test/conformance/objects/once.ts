import { InvalidPathError, SessionExistsError, SessionGoneError, TooLargeError } from '#lib/objects/errors.ts';
import {
  bytes,
  type Define,
  failing,
  get,
  hashesOf,
  KIB,
  MIB,
  openOnce,
  pieces,
  put,
  same,
  sessionName,
} from './harness.ts';

const SIZES = [0, 1, 300 * KIB, 8 * MIB, 8 * MIB + 1, 21 * MIB + 5];

export function onceTests(define: Define): void {
  for (const size of SIZES) {
    define(`${size} bytes come back as they were sent, announced or not`, async (t, { store }) => {
      const whole = bytes(size);
      for (const expect of [size, undefined]) {
        const session = await openOnce(store, 'a/b/c', expect);
        await session.append(pieces(whole));
        t.strictSame(await session.hashes(), hashesOf(whole));
        t.equal(await session.flush(), size);
        t.match(await session.commit(), { path: 'a/b/c', size, mtime: Date });
        same(t, await get(store, 'a/b/c'), whole, `read, ${expect} announced`);
      }
    });
  }

  define('the hashes of a session whose md5 may be late are right, with or without it', async (t, { store }) => {
    for (const size of [1, 9 * MIB]) {
      const whole = bytes(size);
      const open = { path: 'x', session: sessionName(), expect: size, once: true, lateMd5: true };
      const session = await store.open(open);
      await session.append(pieces(whole));
      const { md5, ...others } = hashesOf(whole);
      const found = await session.hashes();
      t.strictSame(found, found.md5 === undefined ? others : { ...others, md5 });
      await session.commit();
      same(t, await get(store, 'x'), whole, 'read');
      t.equal((await store.md5('x')).md5, md5);
    }
  });

  define('they can come in several parts, and go on after their source failed', async (t, { store }) => {
    const whole = bytes(20 * MIB);
    const session = await openOnce(store, 'x', whole.length);
    await session.append(pieces(whole.subarray(0, MIB)));
    const cut = failing(whole.subarray(MIB, 11 * MIB), new Error('cut'));
    await t.rejects(session.append(cut), { message: 'cut' });
    t.equal(session.size, 11 * MIB);
    t.strictSame(await session.hashes(), hashesOf(whole.subarray(0, 11 * MIB)));
    await session.append(pieces(whole.subarray(session.size)));
    t.equal(await store.info('x'), undefined, 'invisible');
    t.strictSame(await session.hashes(), hashesOf(whole));
    await session.commit();
    same(t, await get(store, 'x'), whole, 'read');
  });

  define('more or fewer than were announced are taken all the same', async (t, { store }) => {
    for (const [expect, size] of [
      [10, 9 * MIB],
      [30 * MIB, MIB],
      [30 * MIB, 17 * MIB],
    ] as const) {
      const session = await openOnce(store, 'x', expect);
      await session.append(pieces(bytes(size)));
      await session.commit();
      same(t, await get(store, 'x'), bytes(size), `${size} of ${expect}`);
    }
  });

  define('a discard by anybody fences their commit too, early and late', async (t, { store, reopen }) => {
    const other = await reopen();
    await put(store, 'dir/x', bytes(5));
    for (const size of [0, 100, 9 * MIB, 20 * MIB]) {
      const session = await openOnce(store, 'dir/x', size);
      await session.append(pieces(bytes(size)));
      await other.discard(session.session);
      await t.rejects(session.commit(), SessionGoneError, `${size}`);
      await session.close();
    }
    same(t, await get(store, 'dir/x'), bytes(5), 'what was there');
  });

  define('of their commit and a discard at once exactly one happens', async (t, { store, reopen }) => {
    const other = await reopen();
    for (const size of [1000, 9 * MIB]) {
      const outcomes = await Promise.all(
        Array.from({ length: 5 }, async (_, at) => {
          const session = await openOnce(store, `race/${at}`, size);
          await session.append(pieces(bytes(size)));
          const [commit] = await Promise.allSettled([session.commit(), other.discard(session.session)]);
          await session.close();
          return { committed: commit.status === 'fulfilled', visible: (await store.info(`race/${at}`)) !== undefined };
        }),
      );
      t.ok(outcomes.every(({ committed, visible }) => committed === visible));
      await store.removeTree('race');
    }
    t.strictSame(await store.sessions(), []);
  });

  define('one that is closed or discarded leaves nothing after a discard', async (t, { store }) => {
    const [closed, dropped] = [await openOnce(store, 'x', 9 * MIB), await openOnce(store, 'y')];
    await t.rejects(store.open({ path: 'z', session: closed.session, once: true }), SessionExistsError);
    for (const session of [closed, dropped]) await session.append(pieces(bytes(9 * MIB)));
    await dropped.discard();
    await closed.close();
    await store.discard(closed.session);
    t.strictSame(await store.list(''), []);
  });

  define('their limit and their place are those of other sessions', async (t, { store }) => {
    await put(store, 'a/b', bytes(3));
    for (const path of ['a', 'a/b/c']) {
      const session = await openOnce(store, path, 10);
      await session.append(pieces(bytes(10)));
      await t.rejects(session.commit(), InvalidPathError, path);
      await session.discard();
    }
    const limited = await store.open({ path: 'x', session: sessionName(), once: true, limit: 10 });
    await t.rejects(limited.append(pieces(bytes(11))), TooLargeError);
    await limited.discard();
  });
}
