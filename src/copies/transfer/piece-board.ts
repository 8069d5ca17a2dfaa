/** Which pieces of a file are here, on their way, and missing, from the first byte that the session lacks on. */
import { PIECE_BYTES } from '#lib/api/schemas/link.ts';
import type { Piece, PieceSession } from '#lib/objects/object-store.ts';
import { Changes } from '#lib/runtime/changes.ts';
import type { Board, Taken, Verified } from './board.ts';
import type { PieceHashes } from './piece-hashes.ts';

/** A piece that somebody brings. */
interface TakenPiece extends Taken {
  readonly index: number;
  readonly bytes: Piece;
}

export interface PieceBoardOptions {
  readonly session: PieceSession;
  readonly hashes: PieceHashes;
  readonly total: number;
  /** Whether no more pieces are to be begun. Asked while all that is missing lies behind what was begun. @param bytes that came, of whole pieces */
  readonly isOver?: (bytes: number) => boolean;
}

export class PieceBoard implements Board<TakenPiece> {
  readonly #session: PieceSession;
  readonly #hashes: PieceHashes;
  readonly #total: number;
  /** In order. */
  readonly #missing: number[] = [];
  /** Those that an earlier session may have left, in order. */
  readonly #candidates: number[] = [];
  readonly #begun = new Map<number, TakenPiece>();
  #accepted: number;
  #checking: Promise<void> | undefined;
  readonly #changes = new Changes();
  readonly #isOver: (bytes: number) => boolean;
  readonly #from: number;
  #isEnding = false;

  constructor({ session, hashes, total, isOver = () => false }: PieceBoardOptions) {
    this.#session = session;
    this.#hashes = hashes;
    this.#total = total;
    this.#isOver = isOver;
    this.#from = session.size;
    this.#accepted = session.size;
    for (let index = session.size / PIECE_BYTES; index * PIECE_BYTES < total; index += 1) {
      const { start, length } = this.#place(index);
      (start + length <= session.staged ? this.#candidates : this.#missing).push(index);
    }
  }

  get bytes(): number {
    let bytes = this.#accepted;
    for (const begun of this.#begun.values()) bytes += begun.bytes.written;
    return bytes;
  }

  get solid(): number {
    return this.#session.size;
  }

  get isComplete(): boolean {
    return this.#accepted === this.#total || (this.#isEnding && this.#begun.size === 0);
  }

  /**
   * Looks at what the earlier session left, in order; what is not as it should be is missing from then on. Goes on where it
   * broke off.
   */
  async checkStaged(signal: AbortSignal): Promise<void> {
    this.#checking ??= this.#check(signal).finally(() => {
      this.#checking = undefined;
      this.#changes.announce();
    });
    return this.#checking;
  }

  async #check(signal: AbortSignal): Promise<void> {
    for (let index = this.#candidates[0]; index !== undefined; index = this.#candidates[0]) {
      signal.throwIfAborted();
      const { start, length } = this.#place(index);
      const isThere = await this.#session.piece(start, length).acceptStaged(await this.#hashes.at(index));
      this.#candidates.shift();
      if (isThere) this.#accepted += length;
      else this.#missing.push(index);
      this.#changes.announce();
    }
  }

  /** Waits while it is not known what is missing. */
  async take(signal: AbortSignal): Promise<TakenPiece | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const [index] = this.#missing;
      if (index !== undefined) {
        // A line that is fast shows it with the first pieces.
        this.look();
        if (this.#isEnding && !this.#begun.has(index)) return undefined;
        this.#missing.shift();
        return this.#begin(index);
      }
      if (this.#candidates.length === 0 || !this.#checking) return undefined;
      await this.#changes.next(signal);
    }
  }

  giveBack({ index }: TakenPiece): void {
    this.#missing.unshift(index);
    this.#changes.announce();
  }

  async verify({ index, length, bytes }: TakenPiece): Promise<boolean> {
    const isRight = await bytes.accept(await this.#hashes.at(index));
    if (isRight) {
      this.#begun.delete(index);
      this.#accepted += length;
    }
    return isRight;
  }

  look(): void {
    this.#isEnding ||= this.#session.staged === 0 && this.#isOver(this.#accepted - this.#from);
  }

  /** What is without gaps is hashed then, and counted. */
  async settle(): Promise<void> {
    await this.#session.hashes();
  }

  #begin(index: number): TakenPiece {
    const { start, length } = this.#place(index);
    const part: Verified = { refetched: 0 };
    const taken = this.#begun.get(index) ?? { index, start, length, part, bytes: this.#session.piece(start, length) };
    this.#begun.set(index, taken);
    // It is waited for when the bytes are here.
    this.#hashes.at(index).catch(() => undefined);
    return taken;
  }

  #place(index: number): { start: number; length: number } {
    const start = index * PIECE_BYTES;
    return { start, length: Math.min(PIECE_BYTES, this.#total - start) };
  }
}
