/**
 * What changes in a store while its documents are being copied. The engine itself notes it, within the transaction that
 * changes it and whichever process that is: so what has no note is as it was, and need not be looked at again.
 */
export interface Changes {
  /** Begins, anew if it had begun. What is written from now on is noted. */
  note(): Promise<void>;
  /**
   * The oldest notes, at most so many. One object may have several; notes that come in meanwhile are in a later answer.
   * @throws UnnotedError
   */
  read(most: number): Promise<readonly Change[]>;
  /** Those of the keys that have a note now. */
  noted(bucket: string, keys: readonly string[]): Promise<ReadonlySet<string>>;
  /** Removes notes, but none that are newer. */
  drop(changes: readonly Change[]): Promise<void>;
  /** Ends it. Safe to repeat, and where it never began. */
  end(): Promise<void>;
}

/** A note: an object was written or removed. */
export interface Change {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
}

/** Documents may have changed without a note: all has to be looked at again. */
export class UnnotedError extends Error {
  override readonly name = 'UnnotedError';

  constructor() {
    super('the tables were replaced while the documents were copied, as by a newer version of the service');
  }
}
