import {
  InvalidPathError,
  SessionExistsError,
  SessionGoneError,
  SessionStateError,
  TooLargeError,
} from '#lib/objects/errors.ts';
import type { PieceSession } from '#lib/objects/object-store.ts';
import { bytes, type Define, failing, get, hashesOf, KIB, MIB, pieces, same, sessionName } from './harness.ts';

/** Small: its size is nothing to the store. */
const PIECE = 64 * KIB;

/** Where the piece with this number is, and its hash. */
function pieceOf(whole: Buffer, at: number): { start: number; part: Buffer; sha256: string } {
  const part = whole.subarray(at * PIECE, (at + 1) * PIECE);
  return { start: at * PIECE, part, sha256: hashesOf(part).sha256 };
}

async function bring(session: PieceSession, whole: Buffer, at: number): Promise<boolean> {
  const { start, part, sha256 } = pieceOf(whole, at);
  const piece = session.piece(start, part.length);
  await piece.write(pieces(part));
  return piece.accept(sha256);
}

async function takeStaged(session: PieceSession, whole: Buffer): Promise<boolean[]> {
  const taken: boolean[] = [];
  for (let at = 0; at * PIECE < whole.length; at += 1) {
    const { start, part, sha256 } = pieceOf(whole, at);
    taken.push(await session.piece(start, part.length).acceptStaged(sha256));
  }
  return taken;
}

export function pieceTests(define: Define): void {
  define.where('supportsPieces', 'pieces make an object in whatever order they come', async (t, { store }) => {
    const whole = bytes(5 * PIECE + 3);
    const session = await store.openPieces({ path: 'dir/x', session: sessionName(), size: whole.length });
    t.equal(session.staged, 0);
    t.strictSame(await Promise.all([5, 3, 1].map((at) => bring(session, whole, at))), [true, true, true]);
    t.equal(session.size, 0, 'the first one is missing');
    await t.rejects(session.commit(), SessionStateError, 'nothing with gaps is placed');
    t.ok(await bring(session, whole, 0));
    t.strictSame(await session.hashes(), hashesOf(whole.subarray(0, 2 * PIECE)), 'of what has no gap before it');
    t.equal(session.size, 2 * PIECE);
    await Promise.all([4, 2].map((at) => bring(session, whole, at)));
    t.strictSame(await session.hashes(), hashesOf(whole));
    t.equal(session.size, whole.length);
    t.equal(await session.flush(), whole.length);
    t.equal(await store.info('dir/x'), undefined, 'not visible yet');
    t.match(await session.commit(), { path: 'dir/x', size: whole.length });
    same(t, await get(store, 'dir/x'), whole, 'the object');
  });

  define.where('supportsPieces', 'what was appended wrong is found piece by piece', async (t, { store }) => {
    const whole = bytes(5 * PIECE + 3);
    const session = await store.openPieces({ path: 'x', session: sessionName(), size: whole.length });
    await bring(session, whole, 0);
    const wrong = Buffer.from(whole);
    wrong[3 * PIECE + 7] = (wrong[3 * PIECE + 7] ?? 0) ^ 1;
    await session.append(pieces(wrong.subarray(PIECE)));
    t.notSame(await session.hashes(), hashesOf(whole));
    await session.lookAgain();
    t.match({ size: session.size, staged: session.staged }, { size: 0, staged: whole.length });
    t.strictSame(await takeStaged(session, whole), [true, true, true, false, true, true]);
    t.ok(await bring(session, whole, 3));
    t.strictSame(await session.hashes(), hashesOf(whole));
    await session.commit();
    same(t, await get(store, 'x'), whole, 'the object');
  });

  define.where('supportsPieces', 'a piece that is not what it should be is written again', async (t, { store }) => {
    const whole = bytes(2 * PIECE);
    const session = await store.openPieces({ path: 'x', session: sessionName(), size: whole.length });
    const { start, part, sha256 } = pieceOf(whole, 0);
    const piece = session.piece(start, part.length);
    t.notOk(await piece.accept(sha256), 'nothing is there');
    await piece.write(pieces(bytes(PIECE, 9)));
    t.notOk(await piece.accept(sha256));
    t.equal(piece.written, 0);
    await t.rejects(piece.write(failing(part.subarray(0, 10_000), new Error('broken off'))), {
      message: 'broken off',
    });
    t.equal(piece.written, 10_000);
    await piece.write(pieces(part.subarray(piece.written)));
    await t.rejects(piece.write(pieces(bytes(1))), TooLargeError);
    t.ok(await piece.accept(sha256));
    t.ok(await bring(session, whole, 1));
    t.strictSame(await session.hashes(), hashesOf(whole));
    await session.commit();
    same(t, await get(store, 'x'), whole, 'the object');
  });

  define.where('supportsPieces', 'what follows in order may be appended', async (t, { store }) => {
    const whole = bytes(4 * PIECE);
    const session = await store.openPieces({ path: 'x', session: sessionName(), size: whole.length });
    for (const at of [0, 2]) await bring(session, whole, at);
    await session.append(pieces(whole.subarray(PIECE)));
    t.strictSame(await session.hashes(), hashesOf(whole));
    await session.commit();
    same(t, await get(store, 'x'), whole, 'the object');
  });

  for (const isOver of [true, false]) {
    const sentence = isOver ? 'whose writer is over' : 'whose writer may still be there';
    define.where('supportsPieces', `the pieces of an earlier session ${sentence} are used again`, async (t, made) => {
      const whole = bytes(6 * PIECE + 5);
      const size = whole.length;
      const first = await made.store.openPieces({ path: 'x', session: sessionName(), size });
      for (const at of [0, 1, 4]) await bring(first, whole, at);
      await first.piece(2 * PIECE, PIECE).write(pieces(whole.subarray(2 * PIECE, 2 * PIECE + 1000)));
      await first.close();
      await made.store.close();
      const store = await made.reopen();
      const earlier = { session: first.session, isOver };
      const later = await store.openPieces({ path: 'x', session: sessionName(), size, earlier });
      t.equal(later.staged, 5 * PIECE);
      await store.discard(first.session);
      t.strictSame(await takeStaged(later, whole), [true, true, false, false, true, false, false]);
      for (const at of [2, 3, 5, 6]) t.ok(await bring(later, whole, at));
      t.strictSame(await later.hashes(), hashesOf(whole));
      await later.commit();
      same(t, await get(store, 'x'), whole, 'the object');
      t.strictSame(await store.sessions(), []);
    });
  }

  define.where('supportsPieces', 'a writer that is paused cannot spoil the later session', async (t, made) => {
    const other = await made.reopen();
    const whole = bytes(2 * PIECE);
    const size = whole.length;
    const paused = await made.store.openPieces({ path: 'x', session: sessionName(), size });
    await bring(paused, whole, 0);
    const earlier = { session: paused.session, isOver: false };
    const later = await other.openPieces({ path: 'x', session: sessionName(), size, earlier });
    t.strictSame(await takeStaged(later, whole), [true, false]);
    await other.discard(paused.session);
    await bring(paused, bytes(2 * PIECE, 77), 0);
    await bring(later, whole, 1);
    await later.commit();
    await bring(paused, bytes(2 * PIECE, 77), 1);
    await t.rejects(paused.commit(), SessionGoneError);
    await paused.discard();
    same(t, await get(other, 'x'), whole, 'the object');
  });

  define.where('supportsPieces', 'bytes that were appended count as pieces too', async (t, { store }) => {
    const whole = bytes(3 * PIECE);
    const first = await store.open({ path: 'x', session: sessionName(), expect: whole.length });
    await first.append(pieces(whole.subarray(0, PIECE + 5)));
    await first.close();
    const earlier = { session: first.session, isOver: true };
    const later = await store.openPieces({ path: 'x', session: sessionName(), size: whole.length, earlier });
    t.strictSame(await takeStaged(later, whole), [true, false, false]);
    await store.discard(first.session);
    for (const at of [1, 2]) await bring(later, whole, at);
    await later.commit();
    same(t, await get(store, 'x'), whole, 'the object');
  });

  define.where('supportsPieces', 'a session for pieces ends as any other', async (t, { store }) => {
    const session = await store.openPieces({ path: 'x', session: sessionName(), size: PIECE });
    await t.rejects(store.openPieces({ path: 'x', session: session.session, size: 1 }), SessionExistsError);
    await t.rejects(store.openPieces({ path: '../x', session: sessionName(), size: 1 }), InvalidPathError);
    t.throws(() => session.piece(0, 65 * MIB), TooLargeError);
    const piece = session.piece(0, PIECE);
    const never = new ReadableStream<Uint8Array>();
    const writing = piece.write(never);
    await t.rejects(piece.accept(''), SessionStateError, 'one call at a time');
    await Promise.all([t.rejects(writing, SessionStateError), session.discard()]);
    t.throws(() => session.piece(0, PIECE), SessionStateError);
    await t.rejects(session.commit(), SessionStateError);
    const gone = await store.openPieces({ path: 'x', session: sessionName(), size: PIECE });
    await bring(gone, bytes(PIECE), 0);
    await store.discard(gone.session);
    await t.rejects(gone.commit(), SessionGoneError);
    await gone.discard();
    t.equal(await store.info('x'), undefined);
  });
}
