/** Chance that can be had again: the same seed, the same numbers. */

export interface Random {
  /** 0 or more, less than 1. */
  next(): number;
  /** 0 or more, less than `limit`. */
  below(limit: number): number;
  /** True that often. */
  chance(part: number): boolean;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (part) => next() < part,
    pick: (values) => values[below(values.length)] as (typeof values)[number],
    bytes: (length) => Buffer.from(Array.from({ length }, () => below(256))),
  };
}
