/**
 * Whom the next piece of a transfer is fetched from: the ordered source, or another datacenter that has the image. Each piece
 * is brought by whoever has the fewest connections at the moment, so that who is faster brings more.
 *
 * A connection that breaks costs its supplier a rest, and the piece goes on from another one. Other holders are trusted with
 * nothing: one that had a part in wrong bytes, refuses or keeps failing is not asked again, and none may hold a piece much
 * longer than pieces take.
 */
import type { ImageSource } from '../../datacenters/sources/source.ts';
import type { Service } from '../../service/service.ts';
import { failureOf } from '../documents/failure-of.ts';
import { CopyError, type FailureCode } from '../documents/failures.ts';
import type { Verified } from './board.ts';
import { type ByteRanges, openRanges } from './byte-ranges.ts';
import type { OpenBytes } from './bytes.ts';
import type { Holders } from './holders.ts';
import type { LiveAttempt } from './live-attempt.ts';
import { NoPiecesError, UntoldError } from './piece-hashes.ts';
import { UsualTime, type UsualTimeOptions } from './usual-time.ts';

/** What may happen to one connection while others go on. */
export const OF_ONE_CONNECTION: ReadonlySet<FailureCode> = new Set(['SourceUnreachable', 'SourceError', 'Stalled']);

/** Whose fault it is if bytes do not come from a holder; anything else went wrong here. */
const OF_SUPPLIER: ReadonlySet<FailureCode> = new Set([
  ...OF_ONE_CONNECTION,
  ...(['SourceUnauthorized', 'SourceGone', 'NotOwner', 'SourceChanged', 'SourceInvalid', 'NotLinked'] as const),
  'WrongBytes',
]);

/** Failures in a row after which another holder is not asked again. */
const MOST_FAILURES = 3;
/** Milliseconds for which a supplier is left alone after a failure: doubled each time, from the first to the second. */
const REST_MS = [1000, 30_000] as const;
/** How long a piece of another holder may take. */
const PATIENCE: UsualTimeOptions = { times: 4, least: 10_000, first: 60_000 };

export interface Supplier {
  readonly name: string;
  readonly isOrdered: boolean;
  open(start: number, end: number, signal: AbortSignal): Promise<OpenBytes>;
}

interface Standing {
  busy: number;
  failures: number;
  restsUntil: number;
}

export class Suppliers {
  readonly #service: Service;
  readonly #live: LiveAttempt;
  readonly #ordered: Supplier;
  readonly #all = new Map<Supplier, Standing>();
  /** Holders that wrote bytes of a piece that is not accepted yet. */
  readonly #writers = new WeakMap<Verified, Set<Supplier>>();
  #ranges: Promise<ByteRanges> | undefined;
  /** Of the pieces (or parts of them) that were brought. */
  readonly #usual = new UsualTime(PATIENCE);

  constructor(service: Service, source: ImageSource, live: LiveAttempt, holders: Holders) {
    this.#service = service;
    this.#live = live;
    this.#ordered = {
      name: source.name,
      isOrdered: true,
      open: async (start, end, signal) => {
        this.#ranges ??= openRanges(source, live, signal).catch((error: unknown) => {
          this.#ranges = undefined;
          throw error;
        });
        return (await this.#ranges).open(start, end, signal);
      },
    };
    this.#join(this.#ordered);
    void holders.found().then((found) => {
      for (const holder of found) this.#join(holderOf(holder, live));
    });
  }

  /** Whether nobody but the ordered source is asked. */
  get isOne(): boolean {
    return this.#all.size === 1;
  }

  #join(supplier: Supplier): void {
    this.#all.set(supplier, { busy: 0, failures: 0, restsUntil: 0 });
  }

  /** Counts as busy until {@link release}. */
  take(): Supplier {
    let [best, least] = [this.#ordered, Infinity];
    for (const [supplier, { busy }] of this.#all) {
      if (busy < least && this.#isAwake(supplier)) [best, least] = [supplier, busy];
    }
    const standing = this.#all.get(best);
    if (standing) standing.busy += 1;
    return best;
  }

  release(supplier: Supplier): void {
    const standing = this.#all.get(supplier);
    if (standing) standing.busy -= 1;
  }

  /** Milliseconds that it may take for a piece; undefined: any time, for the ordered source. */
  patienceWith(supplier: Supplier): number | undefined {
    return supplier.isOrdered ? undefined : this.#usual.most;
  }

  /** The supplier is about to write into the piece. */
  writes(supplier: Supplier, piece: Verified): void {
    if (supplier.isOrdered) return;
    this.#writers.set(piece, (this.#writers.get(piece) ?? new Set()).add(supplier));
  }

  brought(supplier: Supplier, ms: number): void {
    this.#usual.took(ms);
    const standing = this.#all.get(supplier);
    if (standing) standing.failures = 0;
    if (supplier.isOrdered || this.#live.own.note !== undefined) return;
    this.#live.note({ note: `pieces came from datacenter "${supplier.name}" as well` });
  }

  /** The bytes of the piece are wrong. Whether other holders had a part in it: these are not asked again. */
  wrong(piece: Verified): boolean {
    const writers = this.#writers.get(piece);
    this.#writers.delete(piece);
    for (const writer of writers ?? []) this.#drop(writer, 'a piece of it had wrong bytes');
    return writers !== undefined;
  }

  /** Whether the piece can be had from somebody else. */
  failed(supplier: Supplier, error: unknown): boolean {
    // Nobody who sends bytes is to blame for hashes that are not told.
    if (error instanceof NoPiecesError || error instanceof UntoldError) return false;
    const { code } = failureOf(error);
    if (!(supplier.isOrdered ? OF_ONE_CONNECTION : OF_SUPPLIER).has(code)) return false;
    if (supplier.isOrdered) this.#ranges = undefined;
    const standing = this.#all.get(supplier);
    if (standing) {
      standing.failures += 1;
      const [first, longest] = REST_MS;
      standing.restsUntil = performance.now() + Math.min(longest, first * 2 ** (standing.failures - 1));
      const isOver = !OF_ONE_CONNECTION.has(code) || standing.failures >= MOST_FAILURES;
      if (!supplier.isOrdered && isOver) this.#drop(supplier, error);
    }
    return !supplier.isOrdered || this.#isOtherAwake(supplier);
  }

  #drop(supplier: Supplier, reason: unknown): void {
    if (!this.#all.delete(supplier)) return;
    const of = { image: this.#live.own.image, datacenter: supplier.name, reason };
    this.#service.log.warn(of, 'pieces are not fetched from this datacenter any more');
  }

  #isAwake(supplier: Supplier): boolean {
    const standing = this.#all.get(supplier);
    return standing !== undefined && standing.restsUntil <= performance.now();
  }

  #isOtherAwake(supplier: Supplier): boolean {
    return [...this.#all.keys()].some((other) => other !== supplier && this.#isAwake(other));
  }
}

/** Through its IMGAPI: a pull link there would be one more thing that has to be ended. */
function holderOf(holder: ImageSource, { own: { image, account, sha1 } }: LiveAttempt): Supplier {
  return {
    name: holder.name,
    isOrdered: false,
    async open(start, end, signal) {
      const file = await holder.getFile(image, { account, sha1, start, end, signal });
      if (file.status === 206) return { ...file, via: 'imgapi' };
      file.stream.destroy();
      throw new CopyError('SourceInvalid', `${holder.name} sends files only as a whole`);
    },
  };
}
