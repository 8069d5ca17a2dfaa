/**
 * Creates buckets in Moray and brings them up to a declaration, while others use them: other processes of this service,
 * newer and older ones, and today's IMGAPI, whose bucket has no version.
 *
 * A version of a declaration takes two of Moray's, because an index cannot change its type: it is dropped in one version
 * and comes back in the next. Nothing else is dropped: a server of Moray's goes by what it knows of a bucket for some
 * minutes, and could write no more.
 *
 * For the same reason an added index is not used for some minutes. Such a server does not fill it; and once Moray takes
 * the index for full, it believes that what is not in the index is not in the document either. Until then, which is
 * until `reindexObjects` has nothing more to do, it reads the documents as they are. So we wait until every server must
 * know of the index, then have the rows indexed, and meanwhile do without it.
 */
import type Logger from 'bunyan';
import { pause, startTimer, type Timer } from '../../runtime/timers.ts';
import { UniqueAttributeError } from '../errors.ts';
import { indexValue } from '../index-value.ts';
import type { BucketConfig, MorayCalls } from './calls.ts';
import { fieldValue } from './condition.ts';
import { isConnectionFailure, MorayError } from './failure.ts';
import type { Layout, MorayIndex, MorayIndexes } from './layout.ts';
import { fieldOf, morayName } from './names.ts';
import { Pages } from './pages.ts';

/** Moray's versions for one of ours: in the first indexes are dropped, in the second added. */
const STEPS = 2;
const ADDED = 1;

/** A server of Moray's goes by what it knows of a bucket for 300 seconds. */
const SETTLE_MS = 330_000;
const ATTEMPTS = 50;
const LONGEST_PAUSE_MS = 200;
const ROWS_AT_ONCE = 100;

export class Upgrades {
  readonly #calls: MorayCalls;
  readonly #log: Logger;
  readonly #settleMs: number;
  readonly #timers = new Map<string, Timer>();
  #isStopped = false;

  constructor(calls: MorayCalls, log: Logger, settleMs = SETTLE_MS) {
    this.#calls = calls;
    this.#log = log;
    this.#settleMs = settleMs;
  }

  /** @throws UniqueAttributeError, InvalidValueError, MorayError, StoreUnavailableError */
  async bringUp(layout: Layout): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const config = await this.#calls.getBucket(layout.bucket);
        if (config && isUpToDate(layout, config)) {
          this.#note(layout, config);
          return;
        }
        await this.#step(layout, config);
      } catch (error) {
        // Another process did the same; how that shows depends on what exactly the two did.
        if (!(error instanceof MorayError) || isConnectionFailure(error) || attempt >= ATTEMPTS) throw error;
        await pause(Math.random() * LONGEST_PAUSE_MS);
      }
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers.values()) timer.stop();
  }

  async #step(layout: Layout, config: BucketConfig | undefined): Promise<void> {
    const { bucket, indexes } = layout;
    const first = firstOf(layout);
    if (config === undefined) {
      await this.#calls.createBucket(bucket, indexes, first + ADDED);
      return;
    }
    const version = versionOf(config);
    await this.#assertFits(layout, config.index);
    const kept = Object.entries(config.index).filter(([name, index]) => isSame(indexes[name] ?? index, index));
    const isFirst = version === 0 || (version < first && kept.length < Object.keys(config.index).length);
    if (isFirst) await this.#calls.updateBucket(bucket, Object.fromEntries(kept), first);
    else await this.#calls.updateBucket(bucket, { ...config.index, ...indexes }, first + ADDED);
  }

  /**
   * What does not fit a new index is found before anything is changed. Moray would notice what collides in the middle, and
   * answer what is not of an index's type as something else.
   * @throws UniqueAttributeError, InvalidValueError
   */
  async #assertFits(layout: Layout, before: MorayIndexes): Promise<void> {
    const changed = layout.fields.filter(([field]) => {
      const [known, next] = [before[morayName(field)], layout.indexes[morayName(field)]];
      return !known || !next || !isSame(known, next);
    });
    if (changed.length === 0) return;
    const seen = new Set<string>();
    for await (const piece of new Pages(this.#calls, layout, {}, undefined).read()) {
      for (const { value } of piece) {
        for (const [field, spec] of changed) {
          const own = indexValue(layout.name, field, spec, fieldValue(value, field));
          if (own === null || spec.unique !== true) continue;
          const place = JSON.stringify([field, own]);
          if (seen.has(place)) throw new UniqueAttributeError(layout.name, field);
          seen.add(place);
        }
      }
    }
  }

  /** Which indexes must wait, and for how long. */
  #note(layout: Layout, config: BucketConfig): void {
    const { reindex_active = {} } = config;
    layout.unsettled = new Set(Object.values(reindex_active).flat().map(fieldOf));
    this.#timers.get(layout.bucket)?.stop();
    if (Object.keys(reindex_active).length === 0) return;
    const settle = (): void => {
      this.#settle(layout, versionOf(config)).catch((error: unknown) => {
        if (this.#isStopped) return;
        this.#log.warn({ err: error, bucket: layout.bucket }, 'the new indexes of a bucket are not used yet');
        this.#note(layout, config);
      });
    };
    this.#timers.set(layout.bucket, startTimer(settle, this.#settleMs).unref());
  }

  async #settle(layout: Layout, version: number): Promise<void> {
    const config = await this.#calls.getBucket(layout.bucket);
    if (config && versionOf(config) !== version) {
      // A newer process has added more: the time begins anew.
      this.#note(layout, config);
      return;
    }
    while ((await this.#calls.reindex(layout.bucket, ROWS_AT_ONCE)) > 0);
    layout.unsettled = new Set();
  }
}

function firstOf({ declaration }: Layout): number {
  return declaration.version * STEPS;
}

function versionOf({ options }: BucketConfig): number {
  return options.version ?? 0;
}

function isUpToDate(layout: Layout, config: BucketConfig): boolean {
  return versionOf(config) >= firstOf(layout) + ADDED;
}

function isSame(a: MorayIndex, b: MorayIndex): boolean {
  return a.type === b.type && (a.unique === true) === (b.unique === true);
}
