/** What is missing of a file, as those see it who bring it: pieces, or parts of them. */
import type { Piece } from '#lib/objects/object-store.ts';

/** What is verified together: if its bytes are wrong, all of it is fetched again. */
export interface Verified {
  /** How often it was fetched again because its bytes were wrong. */
  refetched: number;
}

/** Bytes that one connection brings. */
export interface Taken {
  readonly start: number;
  readonly length: number;
  /** Where they go. */
  readonly bytes: Pick<Piece, 'written' | 'write'>;
  /** What they are part of. */
  readonly part: Verified;
  /** Aborts when they come so slowly that another connection is to bring the rest of them. */
  readonly tooSlow?: AbortSignal;
}

export interface Board<T extends Taken = Taken> {
  /** Bytes that are here, including those that are not verified yet. */
  readonly bytes: number;
  /** How many of them are staged without a gap; undefined if there are no gaps in what is staged. */
  readonly solid: number | undefined;
  /** Whether nothing is left to bring. */
  readonly isComplete: boolean;
  /** Looks at what an earlier session left. */
  checkStaged(signal: AbortSignal): Promise<void>;
  /** What to bring next; waits while that may change. Undefined if nothing is left to begin. */
  take(signal: AbortSignal): Promise<T | undefined>;
  /** Somebody else has to bring it; what is written of it stays. */
  giveBack(taken: T): void;
  /** All of it is written. False if it has to be fetched again. @throws what `PieceHashes.at` does */
  verify(taken: T): Promise<boolean>;
  /** Called at regular intervals. */
  look?(): void;
  /** Resolves when all that was verified is staged. @throws why it cannot be */
  settle(): Promise<void>;
}
