/**
 * The copy of all documents in the new store: made, compared, and then kept up to date by what the old store notes of its
 * changes. So little is left to do while calls wait, however many documents there are.
 */
import { createHash } from 'node:crypto';
import { bringChanges } from '#lib/documents/moving/bring-changes.ts';
import { bringUpToDate } from '#lib/documents/moving/bring-up-to-date.ts';
import type { Change, Changes } from '#lib/documents/moving/changes.ts';
import { compare, DifferentError } from '#lib/documents/moving/compare.ts';
import type { Tally } from '#lib/documents/moving/tally.ts';
import type { Bucket, Store } from '#lib/documents/store.ts';

/** Notes that are dealt with at a time. */
const NOTES = 500;
const KEYS = 200;

export interface CopyOptions {
  readonly buckets: readonly Bucket[];
  readonly target: Store;
  /** Undefined: nobody writes to the source. */
  readonly changes: Changes | undefined;
  /** Called with the number of documents that this pass has dealt with. */
  readonly onProgress: (done: number) => void;
}

/** What the new store holds. */
export interface CarriedOver {
  readonly total: number;
  readonly digest: string;
}

export class DocumentsCopy {
  readonly #options: CopyOptions;
  readonly #tallies = new Map<string, Tally>();
  /** Keys by bucket whose unique value another object has in the target. */
  readonly #waiting = new Map<string, ReadonlySet<string>>();

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  async make(source: Store, signal: AbortSignal): Promise<void> {
    const { target, onProgress } = this.#options;
    let done = 0;
    for (const bucket of this.#options.buckets) {
      const before = done;
      const { objects } = await bringUpToDate(source, target, bucket, {
        signal,
        onProgress: (compared) => onProgress(before + compared.objects),
      });
      done += objects;
    }
  }

  /** Compares all. What has a note may differ. @throws DifferentError */
  async compare(source: Store, signal: AbortSignal): Promise<void> {
    const { target, changes, onProgress } = this.#options;
    let done = 0;
    for (const bucket of this.#options.buckets) {
      const before = done;
      const tally = await compare(source, target, bucket, {
        signal,
        ...(changes && { excused: (keys: readonly string[]) => changes.noted(bucket.name, keys) }),
        onProgress: (objects) => onProgress(before + objects),
      });
      this.#tallies.set(bucket.name, tally);
      done += tally.objects;
    }
  }

  /** Brings along what has a note, until no more than so many notes are left. @throws DifferentError, UnnotedError */
  async follow(source: Store, most: number, signal: AbortSignal): Promise<void> {
    const { changes } = this.#options;
    while (changes) {
      signal.throwIfAborted();
      const notes = await changes.read(NOTES);
      if (notes.length <= most) return;
      await this.#bring(source, notes, signal);
      await changes.drop(notes);
    }
  }

  /** Brings along the rest, from a store that nobody writes to any more. @throws DifferentError, UnnotedError */
  async finish(source: Store, signal: AbortSignal): Promise<CarriedOver> {
    await this.follow(source, 0, signal);
    for (let before = Number.POSITIVE_INFINITY; this.#waits > 0 && this.#waits < before; ) {
      before = this.#waits;
      await this.#bring(source, [], signal);
    }
    const all = createHash('sha256');
    let total = 0;
    for (const bucket of this.#options.buckets) {
      const { objects, digest } = this.#tally(bucket);
      await this.#assertCount(source, bucket, objects, signal);
      all.update(`${bucket.name} ${objects} ${digest}\n`);
      total += objects;
    }
    return { total, digest: all.digest('hex') };
  }

  get #waits(): number {
    return [...this.#waiting.values()].reduce((sum, { size }) => sum + size, 0);
  }

  #tally({ name }: Bucket): Tally {
    const tally = this.#tallies.get(name);
    if (!tally) throw new Error(`the documents of ${name} were not compared`);
    return tally;
  }

  async #bring(source: Store, notes: readonly Change[], signal: AbortSignal): Promise<void> {
    const { buckets, target } = this.#options;
    for (const bucket of buckets) {
      const noted = notes.filter((note) => note.bucket === bucket.name).map(({ key }) => key);
      const keys = [...new Set([...noted, ...(this.#waiting.get(bucket.name) ?? [])])];
      const waiting: string[] = [];
      for (let at = 0; at < keys.length; at += KEYS) {
        signal.throwIfAborted();
        const some = keys.slice(at, at + KEYS);
        waiting.push(...(await bringChanges(source, target, bucket, some, this.#tally(bucket))));
      }
      this.#waiting.set(bucket.name, new Set(waiting));
    }
  }

  async #assertCount(source: Store, bucket: Bucket, expected: number, signal: AbortSignal): Promise<void> {
    for (const store of [source, this.#options.target]) {
      const count = await store.count(bucket, undefined, { signal });
      if (count === expected) continue;
      const which = store === source ? 'old' : 'new';
      throw new DifferentError(`${bucket.name} has ${count} documents in the ${which} store, not ${expected}`);
    }
  }
}
