import {
  InvalidPathError,
  InvalidSessionNameError,
  SessionExistsError,
  SessionGoneError,
} from '#lib/objects/errors.ts';
import { bytes, type Define, get, MIB, pieces, put, same, sessionName } from './harness.ts';

const BAD_NAMES = ['', '.', '..', 'a/b', 'a b', 'ä', '~a', 'a\0', 'a'.repeat(201)];
const RACES = 20;

export function sessionTests(define: Define): void {
  define('staged bytes are listed until the commit', async (t, { store, reopen }) => {
    const other = await reopen();
    t.strictSame(await store.sessions(), []);
    const name = sessionName();
    const session = await store.open({ path: 'x', session: name });
    await session.append(pieces(bytes(2 * MIB)));
    await session.flush();
    const [listed, ...rest] = await other.sessions();
    t.match(listed, { session: name, size: 2 * MIB, mtime: Date });
    t.strictSame(rest, []);
    await session.commit();
    t.strictSame(await other.sessions(), []);
  });

  define('closing keeps the staged bytes, discarding removes them', async (t, { store }) => {
    const kept = await store.open({ path: 'x', session: sessionName() });
    await kept.append(pieces(bytes(100)));
    await kept.close();
    t.match(await store.sessions(), [{ session: kept.session, size: 100 }]);
    const dropped = await store.open({ path: 'x', session: sessionName() });
    await dropped.append(pieces(bytes(100)));
    await dropped.discard();
    t.match(await store.sessions(), [{ session: kept.session }]);
    await store.discard(kept.session);
    t.strictSame(await store.sessions(), []);
    t.equal(await store.info('x'), undefined);
  });

  define('after its end a session says so, and can be closed again', async (t, { store }) => {
    const ends = ['commit', 'close', 'discard'] as const;
    for (const end of ends) {
      const session = await store.open({ path: 'x', session: sessionName() });
      await session.append(pieces(bytes(10)));
      await session[end]();
      const ended = { name: 'SessionStateError' };
      await t.rejects(session.append(pieces(bytes(1))), ended, `append after ${end}`);
      await t.rejects(session.flush(), ended, `flush after ${end}`);
      await t.rejects(session.hashes(), ended, `hashes after ${end}`);
      await t.rejects(session.commit(), ended, `commit after ${end}`);
      await session.close();
      await session.discard();
      await store.discard(session.session);
    }
    same(t, await get(store, 'x'), bytes(10), 'the committed object stays');
  });

  define('a session is used from one place at a time', async (t, { store }) => {
    const session = await store.open({ path: 'x', session: sessionName() });
    const appending = session.append(pieces(bytes(MIB)));
    await t.rejects(session.commit(), { name: 'SessionStateError', message: /busy/ });
    await appending;
    await session.commit();
  });

  define('closing ends an append that waits for its source', async (t, { store }) => {
    const session = await store.open({ path: 'x', session: sessionName() });
    const silent = { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) };
    const appending = session.append(silent);
    await Promise.all([t.rejects(appending, { name: 'SessionStateError' }), session.close()]);
    await store.discard(session.session);
  });

  define('a discard by anybody fences the commit, and replaces nothing', async (t, { store, reopen }) => {
    await put(store, 'dir/x', bytes(5));
    const session = await store.open({ path: 'dir/x', session: sessionName() });
    await session.append(pieces(bytes(MIB)));
    await (await reopen()).discard(session.session);
    await t.rejects(session.commit(), SessionGoneError);
    await t.rejects(session.commit(), SessionGoneError);
    await session.close();
    same(t, await get(store, 'dir/x'), bytes(5), 'what was there');
  });

  define('a fenced commit leaves no directory behind', async (t, { store }) => {
    const session = await store.open({ path: 'p/q/r', session: sessionName() });
    await store.discard(session.session);
    await t.rejects(session.commit(), SessionGoneError);
    await session.discard();
    t.strictSame(await store.list(''), []);
  });

  define('of a commit and a discard at once exactly one happens', async (t, { store, reopen }) => {
    const other = await reopen();
    const outcomes = await Promise.all(
      Array.from({ length: RACES }, async (_, at) => {
        const session = await store.open({ path: `race/${at}`, session: sessionName() });
        await session.append(pieces(bytes(1000)));
        const [commit] = await Promise.allSettled([session.commit(), other.discard(session.session)]);
        await session.close();
        const visible = (await store.info(`race/${at}`)) !== undefined;
        return { committed: commit.status === 'fulfilled', visible };
      }),
    );
    t.ok(outcomes.every(({ committed, visible }) => committed === visible));
    t.strictSame(await store.sessions(), []);
  });

  define('discarding a session that is not there is no error', async (_t, { store }) => {
    await store.discard(sessionName());
  });

  define('the name of a session that has staged bytes is taken', async (t, { store }) => {
    const session = await store.open({ path: 'x', session: sessionName() });
    await session.append(pieces(bytes(9)));
    await t.rejects(store.open({ path: 'y', session: session.session }), SessionExistsError);
    await session.commit();
    same(t, await get(store, 'x'), bytes(9), 'the first one');
  });

  define('names of sessions are checked', async (t, { store }) => {
    for (const session of BAD_NAMES) {
      await t.rejects(store.open({ path: 'x', session }), InvalidSessionNameError, JSON.stringify(session));
      await t.rejects(store.discard(session), InvalidSessionNameError);
      const takeOver = { session };
      await t.rejects(store.open({ path: 'x', session: sessionName(), takeOver }), InvalidSessionNameError);
    }
    const longest = await store.open({ path: 'x', session: `${sessionName()}${'-'.repeat(200)}`.slice(0, 200) });
    await longest.discard();
  });

  define('an object cannot lie where a directory is, nor below an object', async (t, { store }) => {
    await put(store, 'a/b', bytes(3));
    for (const path of ['a', 'a/b/c']) {
      const session = await store.open({ path, session: sessionName() });
      await t.rejects(session.commit(), InvalidPathError, path);
      await session.discard();
      if (store.capabilities.supportsLink) await t.rejects(store.link('a/b', path), InvalidPathError, path);
    }
    same(t, await get(store, 'a/b'), bytes(3), 'what was there');
  });
}
