/**
 * Whether something was asked for before, lately. What is asked for once is not worth keeping where there is no room: it would
 * drive out what is asked for again, and what a cache takes in and soon drops costs the garbage collector more than reading it.
 */

/** Questions to remember, at most: several times as many as a cache holds. Each takes four bytes. */
const SLOTS = 2 ** 15;
const FIRST = 0x811c9dc5;
const FACTOR = 0x01000193;

/** Later questions take the place of earlier ones. Two texts in 2³² are taken for the same, which costs a place in a cache. */
export class AskedBefore {
  readonly #slots = new Int32Array(SLOTS);

  /** Says whether it was asked for, and notes that it is now. */
  isAgain(text: string): boolean {
    const hash = hashOf(text);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const isAgain = this.#slots[slot] === hash;
    this.#slots[slot] = hash;
    return isAgain;
  }
}

/** FNV-1a of the UTF-16 units; never zero, which is an empty slot. */
function hashOf(text: string): number {
  let hash = FIRST;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), FACTOR);
  return hash | 1;
}
