/** Sessions whose bytes come as pieces: each is written at its place in the staged file, and verified by reading it again. */
import type { FileHandle } from 'node:fs/promises';
import type { OneByOne } from '../../runtime/one-by-one.ts';
import type { BackendPiece, BackendPieceSession } from '../backend.ts';
import { SessionGoneError, SessionStateError } from '../errors.ts';
import { sha256Of } from '../hashing/sha256-of.ts';
import { letGo } from '../let-go.ts';
import type { ObjectInfo, SessionHashes } from '../object-store.ts';
import { LocalSession, type LocalSessionOptions } from './session.ts';
import { readFully } from './staged-file.ts';

export interface LocalPiecesOptions extends LocalSessionOptions {
  readonly session: string;
  /** Bytes of the whole object. */
  readonly size: number;
  /** The bytes that an earlier session left. */
  readonly staged: {
    readonly size: number;
    /** Their file, if it is not the one of this session. */
    readonly handle?: FileHandle;
  };
  /** Whoever hashes pieces: they are read into memory for that. */
  readonly hashing: OneByOne;
}

export class LocalPieces implements BackendPieceSession {
  readonly #options: LocalPiecesOptions;
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
    return this.#session.commit();
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
    await this.#options.staged.handle?.close().catch(() => undefined);
  }
}

class LocalPiece implements BackendPiece {
  readonly #options: LocalPiecesOptions;
  readonly #start: number;
  readonly #length: number;
  readonly #onAccepted: () => void;
  #written = 0;
  /** Bytes that are accounted for already: those of a piece that was not accepted are written over. */
  #claimed = 0;

  constructor(options: LocalPiecesOptions, start: number, length: number, onAccepted: () => void) {
    this.#options = options;
    this.#start = start;
    this.#length = length;
    this.#onAccepted = onAccepted;
    const { staged } = options;
    if (!staged.handle) this.#claimed = Math.min(length, Math.max(0, staged.size - start));
  }

  get written(): number {
    return this.#written;
  }

  async write(source: AsyncIterable<Uint8Array>, onProgress?: (written: number) => void): Promise<void> {
    for await (const bytes of source) {
      await this.#put(bytes);
      onProgress?.(this.#written);
    }
  }

  async accept(sha256: string): Promise<boolean> {
    const { file } = this.#options;
    const isWhole = this.#written === this.#length;
    if (isWhole && (await this.#hash((block) => file.readAt(block, this.#start))) === sha256) {
      this.#onAccepted();
      return true;
    }
    this.#written = 0;
    return false;
  }

  async acceptStaged(sha256: string): Promise<boolean> {
    const { staged, file } = this.#options;
    if (this.#start + this.#length > staged.size) return false;
    const { handle } = staged;
    let isTaken = false;
    await this.#hash(
      (block) => (handle ? readFully(handle, block, this.#start) : file.readAt(block, this.#start)),
      async (block, found) => {
        if (found !== sha256) return;
        if (handle) await this.#put(block);
        isTaken = true;
      },
    );
    if (isTaken) this.#onAccepted();
    return isTaken;
  }

  /** Undefined if the file ends before the piece does. */
  #hash(
    read: (block: Uint8Array) => Promise<number>,
    use?: (block: Uint8Array, sha256: string) => Promise<void>,
  ): Promise<string | undefined> {
    return this.#options.hashing.run(async () => {
      const block = new Uint8Array(this.#length);
      try {
        if ((await read(block)) < block.length) return undefined;
        const sha256 = await sha256Of(block);
        await use?.(block, sha256);
        return sha256;
      } finally {
        letGo(block);
      }
    });
  }

  async #put(bytes: Uint8Array): Promise<void> {
    const { file, allotment, room } = this.#options;
    const unclaimed = Math.max(0, this.#written + bytes.length - this.#claimed);
    try {
      if (unclaimed > 0) await allotment.claim(unclaimed);
      await file.writeAt(bytes, this.#start + this.#written);
    } catch (error) {
      throw await room.explain(error, bytes.length);
    }
    if (unclaimed > 0) allotment.grow(unclaimed);
    this.#claimed += unclaimed;
    this.#written += bytes.length;
  }
}
