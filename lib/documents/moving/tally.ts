import { createHash } from 'node:crypto';
import type { Stored } from '../store.ts';

const MODULUS = 1n << 256n;
const DIGITS = 64;

/** A count and a digest of objects, which may come and go in any order: the sum of the SHA-256 of each. */
export class Tally {
  objects = 0;
  #sum = 0n;

  add(objects: Iterable<Stored<object>>): void {
    for (const one of objects) this.#count(1, hashOf(one));
  }

  remove(objects: Iterable<Stored<object>>): void {
    for (const one of objects) this.#count(-1, MODULUS - hashOf(one));
  }

  get digest(): string {
    return this.#sum.toString(16).padStart(DIGITS, '0');
  }

  #count(objects: 1 | -1, hash: bigint): void {
    this.objects += objects;
    this.#sum = (this.#sum + hash) % MODULUS;
  }
}

function hashOf({ key, value }: Stored<object>): bigint {
  const hash = createHash('sha256').update(`${JSON.stringify(key)} ${canonical(value)}`);
  return BigInt(`0x${hash.digest('hex')}`);
}

/** JSON in which the order of fields is always the same. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
