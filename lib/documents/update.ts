/**
 * Changing objects that others may be changing too: read, decide, write on condition that nothing has changed since, and
 * otherwise start again. This is the only place that retries.
 *
 * Callers must see to it that a value that is written under a condition carries a counter of its own.
 */
import { pause } from '../runtime/timers.ts';
import { EtagConflictError } from './errors.ts';
import type { Bucket, Store, Stored, Write, WriteOptions } from './store.ts';

const ATTEMPTS = 50;
const LONGEST_PAUSE_MS = 250;

export interface RetryOptions {
  /** How often to try before throwing the conflict; default 50. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Which errors mean that the work has to be repeated; default {@link isConflict}. */
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

/** The new value, and other writes that belong in the same batch. */
export interface Change<T> {
  readonly value: T;
  readonly also?: readonly Write[];
}

type Answer<R> = R | undefined | Promise<R | undefined>;

/** What was read is out of date, as the reader noticed before the store did. */
export class StaleReadError extends Error {
  override readonly name = 'StaleReadError';
}

/** Whether somebody else was faster: a write's condition did not hold, or what was read is stale. */
export function isConflict(error: unknown): error is EtagConflictError | StaleReadError {
  return error instanceof EtagConflictError || error instanceof StaleReadError;
}

/**
 * Repeats `work` until it ends without a conflict. `work` must read anew each time, and have no effects but its write.
 * @throws what `work` throws; a conflict only if every attempt had one
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
    // The more competitors, the longer the pauses must be; random, or the same ones collide again.
    await pause(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE_MS), signal);
  }
}

/** For a write that may come too late. Returns false if somebody else was faster. */
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
 * Changes one object. `change` gets the current value, which is shared and frozen, and returns the new one, or undefined
 * to leave it as it is. It may be called several times, so it must have no other effects; what it throws is passed on.
 * @returns undefined when there is no such key
 * @throws EtagConflictError when others were faster every time
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
 * Like {@link updateObject}, with further writes in the same batch. A conflict in one of them also restarts everything,
 * so they are made anew each time.
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
