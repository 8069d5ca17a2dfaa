import { UnderWay } from '../runtime/under-way.ts';
import type { BackendPiece, BackendPieceSession } from './backend.ts';
import { SessionStateError, TooLargeError } from './errors.ts';
import { GuardedSession, type GuardedSessionOptions } from './guarded-session.ts';
import { incoming } from './incoming.ts';
import type { AppendOptions, Piece, PieceSession } from './object-store.ts';

/** Bytes; a piece is read into memory to be hashed. */
const LARGEST = 64 * 1024 * 1024;

/** Guards a backend's session for pieces: each piece gets one call at a time, and none after the session's end. */
export class GuardedPieces extends GuardedSession implements PieceSession {
  readonly #pieces: BackendPieceSession;
  readonly #underWay = new UnderWay();

  constructor(backend: BackendPieceSession, options: GuardedSessionOptions) {
    super(backend, options);
    this.#pieces = backend;
  }

  get staged(): number {
    return this.#pieces.staged;
  }

  lookAgain(): Promise<void> {
    return this.alone(() => this.#pieces.lookAgain());
  }

  piece(start: number, length: number): Piece {
    this.assertOpen();
    if (length > LARGEST) throw new TooLargeError(LARGEST);
    const piece = this.#pieces.piece(start, length);
    let isBusy = false;
    const alone = async <T>(call: () => Promise<T>): Promise<T> => {
      this.assertOpen();
      if (isBusy) throw new SessionStateError(this.session, `busy with the piece at ${start}`);
      isBusy = true;
      try {
        return await this.#underWay.add(call());
      } finally {
        isBusy = false;
      }
    };
    return {
      get written() {
        return piece.written;
      },
      write: (source, options) => alone(() => this.#write(piece, length, source, options)),
      accept: (sha256) => alone(() => piece.accept(sha256)),
      acceptStaged: (sha256) => alone(() => piece.acceptStaged(sha256)),
    };
  }

  protected override async settled(): Promise<void> {
    await super.settled();
    await this.#underWay.ended();
  }

  #write(
    piece: BackendPiece,
    limit: number,
    source: AsyncIterable<Uint8Array>,
    { signal, onProgress, disposable = false }: AppendOptions = {},
  ): Promise<void> {
    const stop = signal === undefined ? this.ending : AbortSignal.any([signal, this.ending]);
    return piece.write(incoming(source, { signal: stop, limit, taken: piece.written, disposable }), onProgress);
  }
}
