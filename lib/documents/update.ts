/**
 * Changing objects that others may be changing: read, decide, write on the condition that all is still what was read,
 * and again from the start when it is not. This is the only place that tries again.
 *
 * The rule that a value written under a condition carries a counter of its own is the caller's to keep.
 */
import { pause } from '../runtime/timers.ts';
import { EtagConflictError } from './errors.ts';
import type { Bucket, Store, Stored, Write, WriteOptions } from './store.ts';

const ATTEMPTS = 50;
const LONGEST_PAUSE_MS = 250;

export interface RetryOptions {
  /** How often to try before the conflict is the caller's; 50 unless given. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Which errors say that the work is to be done again; {@link isConflict} unless given. */
  readonly isConflict?: (error: unknown) => boolean;
}

export interface UpdateOptions extends RetryOptions, WriteOptions {}

/** The object after the update. */
export interface Updated<T> {
  readonly key: string;
  readonly value: T;
  readonly etag: string;
  /** False when `change` left it as it was. */
  readonly changed: boolean;
}

/** The new value, and other writes that are to happen with it or not at all. */
export interface Change<T> {
  readonly value: T;
  readonly also?: readonly Write[];
}

type Answer<R> = R | undefined | Promise<R | undefined>;

/** What was read does not hold any more, as its reader found out before the store had to say so. */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError';
}

/** Whether somebody else was faster: a write's condition did not hold, or what was read is stale. */
export function isConflict(error: unknown): error is EtagConflictError | StaleReadError {
  return error instanceof EtagConflictError || error instanceof StaleReadError;
}

/**
 * Does `work` until no conflict ends it. It reads anew each time, and has no effect but its write.
 * @throws what `work` throws; a conflict only when there was one each time
 */
export async function retryOnConflict<T>(
  work: () => Promise<T>,
  { attempts = ATTEMPTS, signal, isConflict: isToRepeat = isConflict }: RetryOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isToRepeat(error) || attempt >= attempts) throw error;
    }
    // The more there are of us, the farther apart we have to go; at random, or we meet again.
    await pause(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE_MS), signal);
  }
}

/** For a write that may come too late. False when somebody else was faster. */
export async function unlessChanged(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/**
 * Changes one object. `change` gets the current value, which is shared and frozen, and answers the new one, or
 * undefined to leave it. It may be called several times, so it has no other effects; what it throws is thrown.
 * @returns undefined when there is no such key
 * @throws EtagConflictError when others were faster each time
 */
export function updateObject<T extends object>(
  store: Store,
  bucket: Bucket<T>,
  key: string,
  change: (current: T) => Answer<T>,
  options: UpdateOptions = {},
): Promise<Updated<T> | undefined> {
  const changeWith = async ({ value: current }: Stored<T>): Promise<Change<T> | undefined> => {
    const value = await change(current);
    return value && { value };
  };
  return updateWith(store, bucket, key, changeWith, options);
}

/**
 * As {@link updateObject}, with further writes in the same batch. A conflict of one of them starts everything again
 * too, so they are made anew each time.
 * @throws EtagConflictError, UniqueAttributeError, InvalidValueError, StoreUnavailableError
 */
export function updateWith<T extends object>(
  store: Store,
  bucket: Bucket<T>,
  key: string,
  change: (current: Stored<T>) => Answer<Change<T>>,
  { frees = false, ...options }: UpdateOptions = {},
): Promise<Updated<T> | undefined> {
  return retryOnConflict(async () => {
    const current = await store.get(bucket, key);
    if (!current) return undefined;
    const wanted = await change(current);
    if (!wanted) return { key, value: current.value, etag: current.etag, changed: false };
    const { value, also = [] } = wanted;
    const write: Write = { op: 'put', bucket, key, value, ifEtag: current.etag };
    const [etag = ''] = await store.batch([write, ...also], { frees });
    return { key, value, etag, changed: true };
  }, options);
}
