/**
 * Changing an object that others may be changing: read, change, write on the condition that it is still what was read,
 * and again from the start when it is not.
 *
 * The rule that a value written under a condition carries a counter of its own is the caller's to keep.
 */
import { pause } from '../runtime/timers.ts';
import { EtagConflictError } from './errors.ts';
import type { Bucket, Store, Write } from './store.ts';

const ATTEMPTS = 30;
const LONGEST_PAUSE = 250;

export interface UpdateOptions {
  /** How often to try before the conflict is the caller's; 30 unless given. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

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
  return updateWith(
    store,
    bucket,
    key,
    async (current) => {
      const value = await change(current);
      return value && { value };
    },
    options,
  );
}

/**
 * As {@link updateObject}, with further writes in the same batch. A conflict of one of them starts everything again
 * too, so they are made anew each time.
 * @throws EtagConflictError, UniqueAttributeError, InvalidValueError, StoreUnavailableError
 */
export async function updateWith<T extends object>(
  store: Store,
  bucket: Bucket<T>,
  key: string,
  change: (current: T) => Answer<Change<T>>,
  options: UpdateOptions = {},
): Promise<Updated<T> | undefined> {
  const attempts = options.attempts ?? ATTEMPTS;
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted();
    const current = await store.get(bucket, key);
    if (current === undefined) {
      return undefined;
    }
    const wanted = await change(current.value);
    if (wanted === undefined) {
      return { key, value: current.value, etag: current.etag, changed: false };
    }
    try {
      const { value, also = [] } = wanted;
      const [etag = ''] = await store.batch([{ op: 'put', bucket, key, value, ifEtag: current.etag }, ...also]);
      return { key, value, etag, changed: true };
    } catch (error) {
      if (!(error instanceof EtagConflictError) || attempt >= attempts) {
        throw error;
      }
    }
    // The more there are of us, the farther apart we have to go; at random, or we meet again.
    await pause(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE), options.signal);
  }
}
