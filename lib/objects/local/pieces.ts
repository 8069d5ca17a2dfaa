/**
 * Sessions whose bytes come as pieces: each is written at its place in the staged file. What is without gaps is read again
 * there for the hashes of the whole.
 */
import type { BackendPiece, BackendPieceSession } from '../backend.ts';
import { SessionGoneError, SessionStateError } from '../errors.ts';
import type { ObjectInfo, SessionHashes } from '../object-store.ts';
import { LocalPiece, type LocalPieceOptions } from './piece.ts';
import { LocalSession, type LocalSessionOptions } from './session.ts';

export interface LocalPiecesOptions extends LocalSessionOptions, LocalPieceOptions {
  readonly session: string;
  /** Bytes of the whole object. */
  readonly size: number;
}

export class LocalPieces implements BackendPieceSession {
  #options: LocalPiecesOptions;
  readonly #session: LocalSession;
  /** The pieces that are accepted and not yet part of the object's beginning: their lengths, by their starts. */
  readonly #accepted = new Map<number, number>();
  #joining: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: LocalPiecesOptions) {
    this.#options = options;
    this.#session = new LocalSession(options);
  }

  get size(): number {
    return this.#session.size;
  }

  get staged(): number {
    return this.#options.staged.size;
  }

  piece(start: number, length: number): BackendPiece {
    const options = this.#options;
    return new LocalPiece(options, start, length, () => this.#accept(start, length));
  }

  async append(source: AsyncIterable<Uint8Array>, onProgress?: (size: number) => void): Promise<void> {
    await this.#joined();
    this.#accepted.clear();
    return this.#session.append(source, onProgress);
  }

  async lookAgain(): Promise<void> {
    await this.#joined();
    const { file, hash } = this.#options;
    await this.#letGoOfEarlier();
    this.#accepted.clear();
    hash.restart();
    file.rewind();
    this.#options = { ...this.#options, staged: { size: file.extent } };
  }

  flush(): Promise<void> {
    return this.#session.flush();
  }

  async hashes(): Promise<SessionHashes> {
    await this.#joined();
    return this.#session.hashes();
  }

  async commit(): Promise<ObjectInfo> {
    await this.#joined();
    const { session, size } = this.#options;
    if (this.size !== size) throw new SessionStateError(session, `incomplete: ${this.size} of ${size} bytes are there`);
    const info = await this.#session.commit();
    await this.#letGoOfEarlier();
    return info;
  }

  async discard(): Promise<void> {
    await this.#stopJoining();
    await this.#session.discard();
  }

  async close(): Promise<void> {
    await this.#stopJoining();
    await this.#session.close();
  }

  #accept(start: number, length: number): void {
    this.#accepted.set(start, length);
    if (this.#next() > 0) this.#joining ??= this.#join();
  }

  /** Hashes what follows the beginning without a gap. Failures are told to whoever needs the hashes. */
  async #join(): Promise<void> {
    try {
      for (let length = this.#next(); length > 0 && !this.#failure; length = this.#next()) await this.#joinSome(length);
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#joining = undefined;
    }
  }

  /** @param most bytes that follow without a gap */
  async #joinSome(most: number): Promise<void> {
    const { file, hash, session } = this.#options;
    const block = await hash.block();
    const part = block.bytes.subarray(0, most);
    let read = 0;
    try {
      read = await file.readAt(part, file.size);
    } finally {
      hash.update(block, read);
    }
    if (read < part.length) throw new SessionGoneError(session);
    this.#taken(read);
  }

  /** Bytes that are accepted right after the beginning. */
  #next(): number {
    return this.#accepted.get(this.size) ?? 0;
  }

  #taken(bytes: number): void {
    const start = this.size;
    const left = this.#next() - bytes;
    this.#accepted.delete(start);
    this.#options.file.advance(bytes);
    if (left > 0) this.#accepted.set(start + bytes, left);
  }

  async #joined(): Promise<void> {
    await this.#joining;
    if (this.#failure) throw this.#failure.error;
  }

  async #stopJoining(): Promise<void> {
    this.#failure ??= { error: new SessionStateError(this.#options.session, 'being closed') };
    await this.#joining;
    await this.#letGoOfEarlier();
  }

  /** As long as it is open, a file that was removed takes its room. */
  async #letGoOfEarlier(): Promise<void> {
    await this.#options.staged.handle?.close().catch(() => undefined);
  }
}
