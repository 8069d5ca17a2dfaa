/** The staged bytes of sessions: pieces, each an object, named by where they begin. */

import { ObjectNotFoundError } from '../errors.ts';
import type { SessionInfo } from '../object-store.ts';
import type { ObjectStream } from '../object-stream.ts';
import { hasMantaCode, isAbsent } from './failure.ts';
import { encodePath } from './layout.ts';
import { getObject, type Manta, type SessionState } from './manta.ts';
import { streamFrom } from './reading.ts';
import { withRetries } from './retry.ts';

export interface Piece {
  readonly path: string;
  readonly start: number;
  readonly size: number;
}

/** Those that follow each other from the first byte on. */
export async function piecesOf({ names, layout }: Manta, session: string): Promise<Piece[]> {
  const listed = await names.list(layout.staged(session));
  const pieces: Piece[] = [];
  let at = 0;
  for (const { name, size } of listed.sort((a, b) => Number(a.name) - Number(b.name))) {
    if (Number(name) !== at) break;
    pieces.push({ path: layout.piece(session, at), start: at, size });
    at += size;
  }
  return pieces;
}

/** The bytes of pieces, one after the other. @throws ObjectNotFoundError when one is not there any more */
export async function* bytesOf(manta: Manta, pieces: readonly Piece[], upTo: number): AsyncGenerator<Uint8Array> {
  for (const { path, start, size } of pieces) {
    const wanted = Math.min(size, upTo - start);
    if (wanted <= 0) return;
    const stream = await openPiece(manta, path, wanted, wanted < size);
    try {
      yield* stream;
    } finally {
      stream.destroy();
    }
  }
}

async function openPiece(manta: Manta, path: string, until: number, isPart: boolean): Promise<ObjectStream> {
  try {
    const range: Record<string, string> = isPart ? { range: `bytes=0-${until - 1}` } : {};
    return streamFrom(manta, path, await getObject(manta, path, range), { start: 0, until });
  } catch (error) {
    throw isAbsent(error) ? new ObjectNotFoundError(path, { cause: error }) : error;
  }
}

/** What a session has staged so far, for another one; the bytes end where somebody has removed them meanwhile. */
export async function* stagedBytes(manta: Manta, session: string, upTo: number): AsyncGenerator<Uint8Array> {
  try {
    yield* bytesOf(manta, await piecesOf(manta, session), upTo);
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
  }
}

/** Ends a session's multipart upload, if it has one that was not committed. */
export async function abortUpload({ bytes, retries }: Manta, { upload }: SessionState): Promise<void> {
  if (upload === undefined) return;
  const path = encodePath(`${upload.directory}/abort`);
  try {
    await withRetries(retries, () => bytes.sendBriefly({ method: 'POST', path }));
  } catch (error) {
    if (!isAbsent(error) && !hasMantaCode(error, 'InvalidMultipartUploadState')) throw error;
  }
}

/** Removes what a session has staged, if anything. */
export async function removeStaged({ names, layout }: Manta, session: string): Promise<void> {
  const directory = layout.staged(session);
  for (;;) {
    for (const { name } of await names.list(directory)) await unlinkIfThere(names, `${directory}/${name}`);
    try {
      await names.unlink(directory);
      return;
    } catch (error) {
      if (isAbsent(error)) return;
      // Its writer staged one more piece meanwhile.
      if (!hasMantaCode(error, 'DirectoryNotEmpty')) throw error;
    }
  }
}

/** Staged bytes of sessions that the register does not know, older than `age` milliseconds. */
export async function findLeftovers(manta: Manta, age: number): Promise<SessionInfo[]> {
  const { names, layout, register, clock } = manta;
  const found: SessionInfo[] = [];
  for (const { name, type, mtime } of await names.list(layout.staging)) {
    if (type !== 'directory' || clock.now() - mtime.getTime() <= age) continue;
    if ((await register.find(name)) !== undefined) continue;
    const size = (await names.list(layout.staged(name))).reduce((sum, piece) => sum + piece.size, 0);
    found.push({ session: layout.leftover(name), size, mtime });
  }
  return found;
}

export async function unlinkIfThere(names: Manta['names'], path: string): Promise<void> {
  try {
    await names.unlink(path);
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}
