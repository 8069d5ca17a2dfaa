/**
 * The pieces of a file whose store takes bytes in order only. They come in slices, over many connections, into memory that is
 * bounded; a piece is verified there when it is whole, and staged when those before it are. Whatever is in memory when the
 * work breaks off is fetched again.
 */
import { createHash } from 'node:crypto';
import { PIECE_BYTES } from '#lib/api/schemas/link.ts';
import { letGo } from '#lib/objects/let-go.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { turnForBytes } from '#lib/runtime/bulk.ts';
import { Changes } from '#lib/runtime/changes.ts';
import type { Board, Taken, Verified } from './board.ts';
import type { PieceHashes } from './piece-hashes.ts';
import { type ReorderMemory, SLICE_BYTES } from './reorder-memory.ts';
import { Slice } from './slice.ts';
import { UsualTime, type UsualTimeOptions } from './usual-time.ts';

/** How long a slice may take that others wait for: nobody knows before one came. */
const PATIENCE: UsualTimeOptions = { times: 4, least: 2000, first: Infinity };

/** Slices that are whole, after which no more are begun: if the store is slower than the line, these would only take memory. */
const MOST_EARLY = 6;

interface PieceInMemory extends Verified {
  readonly index: number;
  /** In order; the last ones may not have begun. */
  readonly slices: TakenSlice[];
  /** Those that are whole. */
  readonly whole: Set<TakenSlice>;
  isRight: boolean;
}

interface TakenSlice extends Taken {
  readonly bytes: Slice;
  readonly part: PieceInMemory;
  /** When somebody began to bring it; undefined if nobody does. */
  since: number | undefined;
  /** How often it came too slowly. */
  slow: number;
  giveUp: AbortController;
}

interface ReorderOptions {
  readonly session: WriteSession;
  readonly hashes: Pick<PieceHashes, 'at'>;
  /** Bytes of the whole file. */
  readonly total: number;
  readonly memory: ReorderMemory;
  /** Whether no more pieces are to be begun. */
  readonly isOver: () => boolean;
  /** Aborts what is being staged. */
  readonly signal: AbortSignal;
}

export class ReorderBoard implements Board<TakenSlice> {
  readonly solid = undefined;
  readonly #options: ReorderOptions;
  /** Bytes that were staged before: those of the first piece are fetched again, because only whole pieces can be verified. */
  readonly #staged: number;
  /** Where the next slice begins. */
  #next: number;
  /** In order, until they are staged. */
  readonly #pieces: PieceInMemory[] = [];
  /** Slices that somebody gave back, in order. */
  readonly #missing: TakenSlice[] = [];
  #isEnding = false;
  #staging = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #waiting = 0;
  readonly #changes = new Changes();
  /** Of slices. */
  readonly #usual = new UsualTime(PATIENCE);

  constructor(options: ReorderOptions) {
    this.#options = options;
    this.#staged = options.session.size;
    this.#next = Math.floor(this.#staged / PIECE_BYTES) * PIECE_BYTES;
  }

  get bytes(): number {
    const { session, total } = this.#options;
    let bytes = session.size;
    for (const { slices } of this.#pieces) {
      for (const { start, bytes: slice } of slices) {
        bytes += Math.max(0, start + slice.written - Math.max(start, session.size));
      }
    }
    return Math.min(bytes, total);
  }

  get isComplete(): boolean {
    return this.#missing.length === 0 && !this.#hasMore && this.#pieces.every(({ isRight }) => isRight);
  }

  async checkStaged(): Promise<void> {
    // Whoever opened the session has read what was staged.
  }

  /** Waits while there is no room for more. */
  async take(signal: AbortSignal): Promise<TakenSlice | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failure) throw this.#failure.error;
      const taken = this.#missing.shift() ?? this.#begin();
      if (taken) {
        taken.since = performance.now();
        taken.giveUp = new AbortController();
        return taken;
      }
      if (!this.#hasMore) return undefined;
      this.#waiting += 1;
      await this.#changes.next(signal).finally(() => {
        this.#waiting -= 1;
      });
    }
  }

  giveBack(taken: TakenSlice): void {
    this.#lack(taken);
    this.#changes.announce();
  }

  async verify(taken: TakenSlice): Promise<boolean> {
    const { part, since } = taken;
    if (since !== undefined) this.#usual.took(performance.now() - since);
    taken.since = undefined;
    part.whole.add(taken);
    // Whoever brings the last one verifies all.
    if (part.whole.size < this.#slicesOf(part.index)) return true;
    const expected = await this.#options.hashes.at(part.index);
    if ((await hashOf(part)) === expected) {
      part.isRight = true;
      this.#staging = this.#staging.then(() => this.#stage());
      return true;
    }
    part.whole.clear();
    for (const slice of part.slices) {
      slice.bytes.drop();
      if (slice !== taken) this.#lack(slice);
    }
    taken.since = performance.now();
    this.#changes.announce();
    return false;
  }

  /** Where others wait because the slices that are to be staged first come slowly, these are brought over other connections. */
  look(): void {
    this.#isEnding ||= this.#options.isOver();
    if (this.#waiting === 0) return;
    // There may be room that another transfer gave back.
    this.#changes.announce();
    const { most } = this.#usual;
    const first = this.#pieces.find(({ isRight }) => !isRight);
    for (const slice of first?.slices ?? []) {
      if (slice.since === undefined) continue;
      if (performance.now() - slice.since < most * 2 ** slice.slow) continue;
      slice.slow += 1;
      slice.giveUp.abort(new Error('it came too slowly'));
    }
  }

  async settle(): Promise<void> {
    await this.#staging;
    if (this.#failure) throw this.#failure.error;
  }

  /** Stages what can be staged, and frees the rest. Nobody brings anything any more. */
  async end(): Promise<void> {
    await this.#staging;
    for (const { slices } of this.#pieces.splice(0)) for (const { bytes } of slices) bytes.drop();
    this.#options.memory.leave();
  }

  get #hasMore(): boolean {
    if (this.#next >= this.#options.total) return false;
    return this.#next % PIECE_BYTES > 0 || !this.#isEnding;
  }

  #begin(): TakenSlice | undefined {
    const { total, memory, hashes } = this.#options;
    if (!this.#hasMore || this.#early >= MOST_EARLY || !memory.take()) return undefined;
    const start = this.#next;
    if (start % PIECE_BYTES === 0) {
      const index = start / PIECE_BYTES;
      this.#pieces.push({ index, slices: [], whole: new Set(), isRight: false, refetched: 0 });
      // It is waited for when the bytes are here.
      hashes.at(index).catch(() => undefined);
    }
    const part = this.#pieces.at(-1);
    if (!part) throw new Error('a slice is part of a piece');
    const length = Math.min(SLICE_BYTES, total - start);
    this.#next = start + length;
    const taken = sliceOf(part, start, length);
    part.slices.push(taken);
    return taken;
  }

  /** Slices that are whole and wait for those before them, or for the store. */
  get #early(): number {
    let early = 0;
    for (const { whole } of this.#pieces) for (const { bytes } of whole) if (!bytes.isTaken) early += 1;
    return early;
  }

  #slicesOf(piece: number): number {
    const length = Math.min(PIECE_BYTES, this.#options.total - piece * PIECE_BYTES);
    return Math.ceil(length / SLICE_BYTES);
  }

  #lack(slice: TakenSlice): void {
    slice.since = undefined;
    this.#missing.push(slice);
    this.#missing.sort((a, b) => a.start - b.start);
  }

  /** Never rejects. */
  async #stage(): Promise<void> {
    const { session, signal } = this.#options;
    try {
      // All that follows without a gap at once: a store may wait at the end of what it is given until that is safe.
      if (this.#isFirstRight) await session.append(this.#takeOut(), { signal, disposable: true });
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#changes.announce();
  }

  get #isFirstRight(): boolean {
    return !this.#failure && this.#pieces[0]?.isRight === true;
  }

  /** The bytes that come next and are not staged, as long as they are right. Their memory is free as they are taken. */
  async *#takeOut(): AsyncGenerator<Uint8Array> {
    for (let first = this.#pieces[0]; first?.isRight; first = this.#pieces[0]) {
      for (const { start, bytes: slice } of first.slices) {
        let at = start;
        for (const block of slice.taken()) {
          const { length } = block;
          const isStaged = Math.max(0, this.#staged - at);
          if (isStaged === 0) yield block;
          else if (isStaged < length) yield block.subarray(isStaged);
          else letGo(block);
          at += length;
        }
        this.#options.memory.give();
        this.#changes.announce();
      }
      this.#pieces.shift();
    }
  }
}

function sliceOf(part: PieceInMemory, start: number, length: number): TakenSlice {
  const bytes = new Slice(start, length);
  return {
    ...{ start, length, bytes, part, since: undefined, slow: 0, giveUp: new AbortController() },
    get tooSlow() {
      return this.giveUp.signal;
    },
  };
}

async function hashOf({ slices }: PieceInMemory): Promise<string> {
  const hash = createHash('sha256');
  for (const { bytes } of slices) {
    for (const block of bytes.blocks) {
      await turnForBytes();
      hash.update(block);
    }
  }
  return hash.digest('hex');
}
