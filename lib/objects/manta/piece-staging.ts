/** Pieces that are objects: any process can read them and go on. A commit puts them together. */
import { ObjectNotFoundError, ObjectStoreUnavailableError, SessionGoneError } from '../errors.ts';
import { explainManta, hasMantaCode } from './failure.ts';
import { PLACING_TIMEOUT } from './fencing.ts';
import { isSame, putObject } from './manta.ts';
import { PieceWriter } from './piece-writer.ts';
import { noteStaged } from './progress.ts';
import { withRetries } from './retry.ts';
import { bytesOf, type Piece, piecesOf } from './staged.ts';
import type { Staging, StagingOptions } from './staging.ts';

export class PieceStaging implements Staging {
  readonly #options: StagingOptions;
  #size = 0;
  #pieces = 0;
  #isGone = false;

  constructor(options: StagingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  async append(
    source: AsyncIterable<Uint8Array>,
    onProgress?: (size: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    const { hash, manta } = this.#options;
    const writer = new PieceWriter({
      hash,
      memory: manta.memory,
      stage: async (piece, md5) => {
        await this.#stage(piece, md5).catch((error: unknown) => {
          throw explainManta(error, piece.length);
        });
        onProgress?.(this.#size);
      },
    });
    try {
      for await (const piece of source) await writer.write(piece, signal);
      await writer.drain();
    } catch (error) {
      // What arrived is kept; the first error matters more than a second one while staging it.
      await writer.drain().catch(() => undefined);
      throw error;
    } finally {
      await writer.end();
    }
  }

  /** An append ends when its last piece is there. */
  async flush(): Promise<void> {}

  async place(md5: string): Promise<void> {
    if (this.#isGone) throw new SessionGoneError(this.#options.session);
    const isOnePiece = this.#pieces === 1 && this.#options.manta.features.snaplinks;
    if (!isOnePiece || !(await linkPiece(this.#options, this.#size, md5))) {
      await joinPieces(this.#options, this.#size, md5);
    }
  }

  async end(): Promise<void> {}

  async #stage(piece: Uint8Array, md5: string): Promise<void> {
    const { manta, session } = this.#options;
    if (!this.#isGone) {
      const path = manta.layout.piece(session, this.#size);
      await putObject(manta, { path, body: () => piece, size: piece.length, md5 });
      this.#isGone = !(await noteStaged(manta, session, path, this.#size + piece.length));
    }
    this.#size += piece.length;
    this.#pieces += 1;
  }
}

/** Gives the only piece its name. False if this Manta has no snaplinks any more. */
export async function linkPiece(
  { manta, session, target, placing }: StagingOptions,
  size: number,
  md5: string,
): Promise<boolean> {
  const { names, directories, features, layout, retries } = manta;
  try {
    await withRetries(retries, async (attempt) => {
      if (attempt > 1 && isSame(await names.info(target), { size, md5 })) return;
      const link = () => names.link(layout.piece(session, 0), target);
      await placing.attempt(() => directories.placing(target, link));
    });
    return true;
  } catch (error) {
    if (hasMantaCode(error, 'SnaplinksDisabledError')) {
      features.snaplinks = false;
      return false;
    }
    if (hasMantaCode(error, 'SourceObjectNotFound')) throw new SessionGoneError(session, { cause: error });
    throw error;
  }
}

/** The bytes pass through this process once more. The last ones are sent when it is certain that they may be. */
export async function joinPieces(options: StagingOptions, size: number, md5: string): Promise<void> {
  const { manta, target, placing } = options;
  const pieces = await allPieces(options, size);
  await putObject(manta, {
    path: target,
    body: () => (size === 0 ? Buffer.alloc(0) : heldBack(options, bytesOf(manta, pieces, size))),
    size,
    md5,
    timeout: Math.min(PLACING_TIMEOUT, manta.timeout),
    // Manta asks for no bytes where there are none, so there are none to hold back.
    attempt: (send) => (size === 0 ? placing.attempt(send) : placing.watch(send)),
  });
}

/** @throws SessionGoneError */
async function allPieces(options: StagingOptions, size: number): Promise<Piece[]> {
  const pieces = await piecesOf(options.manta, options.session);
  if (pieces.reduce((sum, piece) => sum + piece.size, 0) !== size) throw await missingPieces(options);
  return pieces;
}

/** Why they are not there: most often somebody has discarded the session. */
async function missingPieces({ manta, session, target }: StagingOptions, cause?: unknown): Promise<Error> {
  const entry = await manta.register.find(session);
  if (entry === undefined || entry.state.gone) return new SessionGoneError(session, { cause });
  return new ObjectStoreUnavailableError(`Manta does not have all pieces of ${target} that it was given`, { cause });
}

async function* heldBack(options: StagingOptions, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined;
  try {
    for await (const piece of bytes) {
      if (last) yield last;
      last = piece;
    }
  } catch (error) {
    throw error instanceof ObjectNotFoundError ? await missingPieces(options, error) : error;
  }
  await options.placing.begin();
  if (last) yield last;
}
