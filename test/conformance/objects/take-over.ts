import { SessionGoneError, TooLargeError } from '#lib/objects/errors.ts';
import { bytes, type Define, get, hashesOf, MIB, pieces, same, sessionName } from './harness.ts';

export function takeOverTests(define: Define): void {
  define.where(
    'supportsTakeOver',
    'a later session, also of another process, goes on where an earlier one stopped',
    async (t, made) => {
      const whole = bytes(5 * MIB + 3);
      const first = await made.store.open({ path: 'x', session: sessionName() });
      await first.append(pieces(whole.subarray(0, 3 * MIB + 1)));
      await first.close();
      await made.store.close();
      const store = await made.reopen();
      const takeOver = { session: first.session };
      const second = await store.open({ path: 'x', session: sessionName(), takeOver, expect: whole.length });
      t.equal(second.size, 3 * MIB + 1);
      await second.append(pieces(whole.subarray(second.size)));
      t.strictSame(await second.hashes(), hashesOf(whole));
      await second.commit();
      same(t, await get(store, 'x'), whole, 'read');
      t.match(await store.sessions(), [{ session: first.session, size: 3 * MIB + 1 }]);
      await store.discard(first.session);
    },
  );

  define.where('supportsTakeOver', 'a take-over stops at its bound, or where the bytes end', async (t, { store }) => {
    const whole = bytes(2 * MIB);
    const first = await store.open({ path: 'x', session: sessionName() });
    await first.append(pieces(whole));
    await first.close();
    for (const upTo of [0, 1, MIB + 1, 2 * MIB, 3 * MIB]) {
      const takeOver = { session: first.session, upTo };
      const session = await store.open({ path: `to/${upTo}`, session: sessionName(), takeOver });
      const taken = whole.subarray(0, upTo);
      t.equal(session.size, taken.length);
      t.strictSame(await session.hashes(), hashesOf(taken));
      await session.commit();
      same(t, await get(store, `to/${upTo}`), taken, `up to ${upTo}`);
    }
    await store.discard(first.session);
  });

  define.where(
    'supportsTakeOver',
    'the writer of the earlier session cannot spoil the later one',
    async (t, { store, reopen }) => {
      const other = await reopen();
      const whole = bytes(2 * MIB);
      const paused = await store.open({ path: 'x', session: sessionName() });
      await paused.append(pieces(whole.subarray(0, MIB)));
      await paused.flush();
      const later = await other.open({ path: 'x', session: sessionName(), takeOver: { session: paused.session } });
      t.equal(later.size, MIB);
      await unlessGone(paused.append(pieces(bytes(MIB, 77))));
      await later.append(pieces(whole.subarray(MIB)));
      await other.discard(paused.session);
      await later.commit();
      await unlessGone(paused.append(pieces(bytes(MIB, 78))));
      await t.rejects(paused.commit(), { name: 'SessionGoneError' });
      await paused.close();
      same(t, await get(store, 'x'), whole, 'read');
    },
  );

  define.where('supportsTakeOver', 'a session that is not there gives no bytes', async (t, { store }) => {
    const session = await store.open({ path: 'x', session: sessionName(), takeOver: { session: sessionName() } });
    t.equal(session.size, 0);
    await session.append(pieces(bytes(7)));
    await session.commit();
    same(t, await get(store, 'x'), bytes(7), 'read');
  });

  define.where('supportsTakeOver', 'a take-over can be taken over', async (t, { store }) => {
    const whole = bytes(3 * MIB);
    let earlier: string | undefined;
    for (let done = 0; done < whole.length; done += MIB) {
      const takeOver = earlier === undefined ? {} : { takeOver: { session: earlier } };
      const session = await store.open({ path: 'x', session: sessionName(), ...takeOver });
      t.equal(session.size, done);
      await session.append(pieces(whole.subarray(done, done + MIB)));
      if (earlier !== undefined) await store.discard(earlier);
      earlier = session.session;
      await (done + MIB === whole.length ? session.commit() : session.close());
    }
    same(t, await get(store, 'x'), whole, 'read');
  });

  define.where('supportsTakeOver', 'an open that fails leaves nothing staged of its own', async (t, { store }) => {
    const first = await store.open({ path: 'x', session: sessionName() });
    await first.append(pieces(bytes(2 * MIB)));
    await first.close();
    const takeOver = { session: first.session };
    await t.rejects(store.open({ path: 'x', session: sessionName(), takeOver, limit: MIB }), TooLargeError);
    const signal = AbortSignal.abort(new Error('no'));
    await t.rejects(store.open({ path: 'x', session: sessionName(), takeOver, signal }), { message: 'no' });
    t.match(await store.sessions(), [{ session: first.session }]);
    t.equal((await store.sessions()).length, 1);
    await store.discard(first.session);
  });
}

/** A store may end the earlier session at once, or not before its commit. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof SessionGoneError)) throw error;
  });
}
