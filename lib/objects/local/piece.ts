/**
 * One piece of a staged file. Its bytes are gathered in memory before they are written, because each write is a way to
 * another thread and back, and are hashed from there.
 */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { OneByOne } from '../../runtime/one-by-one.ts';
import type { BackendPiece } from '../backend.ts';
import { sha256Of } from '../hashing/sha256-of.ts';
import { letGo } from '../let-go.ts';
import type { Allotment, Room } from './room.ts';
import { readFully, type StagedFile } from './staged-file.ts';

/** Bytes: hashing so many is a fifth of a millisecond of the event loop. */
const GATHERED = 256 * 1024;
/** The same beside so many other pieces. */
const GATHERED_OF_MANY = 64 * 1024;
const MANY = 20;
/** Milliseconds after which less is written too, when more bytes arrive. */
const PATIENCE = 500;

/** Pieces that are being written. */
let writing = 0;

export interface LocalPieceOptions {
  readonly file: StagedFile;
  readonly allotment: Allotment;
  readonly room: Room;
  /** The bytes that an earlier session left. */
  readonly staged: {
    readonly size: number;
    /** Their file, if it is not the one of this session. */
    readonly handle?: FileHandle;
  };
  /** Whoever hashes what is staged: it is read into memory for that. */
  readonly hashing: OneByOne;
}

export class LocalPiece implements BackendPiece {
  readonly #options: LocalPieceOptions;
  readonly #start: number;
  readonly #length: number;
  readonly #onAccepted: () => void;
  #written = 0;
  /** Of what is written. */
  #hash: Hash = createHash('sha256');
  /** Bytes that are accounted for already: those of a piece that was not accepted are written over. */
  #claimed = 0;

  constructor(options: LocalPieceOptions, start: number, length: number, onAccepted: () => void) {
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
    const gathered = writing > MANY ? GATHERED_OF_MANY : GATHERED;
    const block = new Uint8Array(Math.min(gathered, this.#length - this.#written));
    writing += 1;
    let filled = 0;
    let wroteAt = performance.now();
    const putFilled = async (): Promise<void> => {
      const bytes = block.subarray(0, filled);
      filled = 0;
      if (bytes.length === 0) return;
      await this.#put(bytes);
      wroteAt = performance.now();
      onProgress?.(this.#written);
    };
    try {
      for await (const bytes of source) {
        for (let rest = bytes; rest.length > 0; ) {
          const part = rest.subarray(0, block.length - filled);
          block.set(part, filled);
          filled += part.length;
          rest = rest.subarray(part.length);
          if (filled === block.length || performance.now() - wroteAt > PATIENCE) await putFilled();
        }
      }
    } finally {
      // What arrived before a failure counts.
      await putFilled().finally(() => {
        writing -= 1;
        letGo(block);
      });
    }
  }

  async accept(sha256: string): Promise<boolean> {
    const isRight = this.#written === this.#length && this.#hash.digest('hex') === sha256;
    this.#hash = createHash('sha256');
    if (isRight) this.#onAccepted();
    else this.#written = 0;
    return isRight;
  }

  async acceptStaged(sha256: string): Promise<boolean> {
    const { staged, file, hashing } = this.#options;
    if (this.#start + this.#length > staged.size) return false;
    const { handle } = staged;
    const isTaken = await hashing.run(async () => {
      const block = new Uint8Array(this.#length);
      try {
        const read = await (handle ? readFully(handle, block, this.#start) : file.readAt(block, this.#start));
        if (read < block.length || (await sha256Of(block)) !== sha256) return false;
        if (handle) await this.#put(block);
        return true;
      } finally {
        letGo(block);
      }
    });
    if (isTaken) this.#onAccepted();
    return isTaken;
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
    this.#hash.update(bytes);
    if (unclaimed > 0) allotment.grow(unclaimed);
    this.#claimed += unclaimed;
    this.#written += bytes.length;
  }
}
