import type { BackendSession } from '../backend.ts';
import { InvalidPathError, ObjectStoreUnavailableError, SessionGoneError } from '../errors.ts';
import type { HashStream } from '../hashing/stream.ts';
import type { Hashes, ObjectInfo } from '../object-store.ts';
import { parentOf } from './directories.ts';
import { explainManta, hasMantaCode, isInTheWay } from './failure.ts';
import { beginPlacing, discardSession, endPlacing, PLACING_TIMEOUT } from './fencing.ts';
import { isSame, type Manta, putObject } from './manta.ts';
import { PieceWriter } from './piece-writer.ts';
import { withRetries } from './retry.ts';
import { bytesOf, type Piece, piecesOf, removeStaged, unlinkIfThere } from './staged.ts';

export interface MantaSessionOptions {
  readonly session: string;
  /** Of the object, in the store. */
  readonly path: string;
  readonly hash: HashStream;
  readonly onLeft: (error: unknown) => void;
}

/** A session that stages pieces as objects, so that any process can go on with them. */
export class MantaSession implements BackendSession {
  readonly #manta: Manta;
  readonly #options: MantaSessionOptions;
  /** Of the object, in Manta. */
  readonly #target: string;
  #size = 0;
  #pieces = 0;
  #isGone = false;
  #isPlaced = false;

  constructor(manta: Manta, options: MantaSessionOptions) {
    this.#manta = manta;
    this.#options = options;
    this.#target = manta.layout.resolve(options.path);
  }

  get size(): number {
    return this.#size;
  }

  async append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void): Promise<void> {
    const writer = new PieceWriter({
      hash: this.#options.hash,
      memory: this.#manta.memory,
      stage: async (piece, md5) => {
        await this.#stage(piece, md5).catch((error: unknown) => {
          throw explainManta(error, piece.length);
        });
        onProgress?.(this.#size);
      },
    });
    try {
      for await (const piece of source) await writer.write(piece);
      await writer.drain();
    } catch (error) {
      // What arrived is kept; the first error matters more than a second one while staging it.
      await writer.drain().catch(() => undefined);
      throw error;
    } finally {
      await writer.end();
    }
  }

  /** An append ends when its last piece is durable. */
  async flush(): Promise<void> {}

  hashes(): Promise<Hashes> {
    return this.#options.hash.digest();
  }

  async commit(): Promise<ObjectInfo> {
    const { session, path } = this.#options;
    if (this.#isGone) throw new SessionGoneError(session);
    const { md5 } = await this.hashes();
    if (!this.#isPlaced) await this.#place(md5);
    this.#isPlaced = true;
    const found = await this.#manta.names.info(this.#target);
    if (found?.type !== 'object' || !isSame(found, { size: this.#size, md5 })) {
      throw new ObjectStoreUnavailableError(`Manta does not have the bytes of ${path} that it was given`);
    }
    await this.#forget();
    await this.close();
    return { path, size: found.size, mtime: found.mtime };
  }

  async close(): Promise<void> {
    this.#options.hash.close();
  }

  async discard(): Promise<void> {
    await discardSession(this.#manta, this.#options.session);
    await this.close();
  }

  async #stage(piece: Uint8Array, md5: string): Promise<void> {
    if (!this.#isGone) await this.#put(piece, md5);
    this.#size += piece.length;
    this.#pieces += 1;
  }

  async #put(piece: Uint8Array, md5: string): Promise<void> {
    const { session } = this.#options;
    const path = this.#manta.layout.piece(session, this.#size);
    await putObject(this.#manta, { path, body: () => piece, size: piece.length, md5 });
    try {
      await this.#manta.register.update(session, ({ state }) => {
        if (state.gone) throw new SessionGoneError(session);
        return { size: this.#size + piece.length };
      });
    } catch (error) {
      if (!(error instanceof SessionGoneError)) throw error;
      // Whoever discarded the session may not have seen this piece.
      this.#isGone = true;
      await unlinkIfThere(this.#manta.names, path);
      await removeStaged(this.#manta, session);
    }
  }

  async #place(md5: string): Promise<void> {
    const { path } = this.#options;
    try {
      const isOnePiece = this.#pieces === 1 && this.#manta.features.snaplinks;
      if (!isOnePiece || !(await this.#link(md5))) await this.#join(md5);
    } catch (error) {
      if (isInTheWay(error)) {
        await this.#settle();
        throw new InvalidPathError(path, 'is a directory, or lies below an object', { cause: error });
      }
      if (error instanceof SessionGoneError) this.#isGone = true;
      else if (error instanceof Error && error.name === 'MantaError') await this.#settle();
      throw error;
    } finally {
      if (this.#isGone) await this.#manta.directories.prune(parentOf(this.#target)).catch(() => undefined);
    }
  }

  /** False if this Manta has no snaplinks any more. */
  async #link(md5: string): Promise<boolean> {
    const { names, directories, features, layout, retries } = this.#manta;
    const source = layout.piece(this.#options.session, 0);
    try {
      await withRetries(retries, async (attempt) => {
        if (attempt > 1 && isSame(await names.info(this.#target), { size: this.#size, md5 })) return;
        await beginPlacing(this.#manta, this.#options.session);
        await directories.placing(this.#target, () => names.link(source, this.#target));
      });
      return true;
    } catch (error) {
      if (hasMantaCode(error, 'SnaplinksDisabledError')) {
        features.snaplinks = false;
        return false;
      }
      if (hasMantaCode(error, 'SourceObjectNotFound'))
        throw new SessionGoneError(this.#options.session, { cause: error });
      throw error;
    }
  }

  /** The bytes pass through this process once more. The last ones are sent when it is certain that they may be. */
  async #join(md5: string): Promise<void> {
    // Manta asks for no bytes where there are none, so there are none to hold back.
    if (this.#size === 0) await beginPlacing(this.#manta, this.#options.session);
    const pieces = await this.#allPieces();
    await putObject(this.#manta, {
      path: this.#target,
      body: () => this.#heldBack(bytesOf(this.#manta, pieces, this.#size)),
      size: this.#size,
      md5,
      timeout: Math.min(PLACING_TIMEOUT, this.#manta.timeout),
    });
  }

  /** @throws SessionGoneError */
  async #allPieces(): Promise<Piece[]> {
    const { session, path } = this.#options;
    const pieces = await piecesOf(this.#manta, session);
    if (pieces.reduce((sum, { size }) => sum + size, 0) === this.#size) return pieces;
    const entry = await this.#manta.register.find(session);
    if (entry === undefined || entry.state.gone) throw new SessionGoneError(session);
    throw new ObjectStoreUnavailableError(`Manta does not have all pieces of ${path} that it was given`);
  }

  async *#heldBack(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let last: Uint8Array | undefined;
    for await (const piece of bytes) {
      if (last) yield last;
      last = piece;
    }
    if (last === undefined) return;
    await beginPlacing(this.#manta, this.#options.session);
    yield last;
  }

  /** Nothing was placed, so nobody has to wait for it. */
  async #settle(): Promise<void> {
    const { directories } = this.#manta;
    await endPlacing(this.#manta, this.#options.session).catch(() => undefined);
    await directories.prune(parentOf(this.#target)).catch(() => undefined);
  }

  /** The object is there. What is left of the session is not worth a failure: the sweeper finds it. */
  async #forget(): Promise<void> {
    const { session, onLeft } = this.#options;
    try {
      await removeStaged(this.#manta, session);
      await this.#manta.register.remove(session);
    } catch (error) {
      onLeft(error);
    }
  }
}
