import { InvalidRangeError } from './errors.ts';
import type { ReadOptions } from './object-store.ts';

/**
 * The bytes of an object that a range covers; `until` is the byte after the last. A range may extend beyond the object,
 * but must begin within it, except that an empty object can be read from its start.
 * @throws InvalidRangeError
 */
export function boundsOf(
  path: string,
  size: number,
  { start = 0, end = Number.POSITIVE_INFINITY }: ReadOptions,
): { readonly start: number; readonly until: number } {
  const until = Math.min(size, end + 1);
  const empty = size === 0 && start === 0;
  if (!(Number.isSafeInteger(start) && start >= 0) || (!empty && start >= size) || !(end >= start)) {
    throw new InvalidRangeError(path, size);
  }
  return { start, until };
}
