/**
 * A map that forgets what has not been used for long once its entries weigh too much.
 *
 * It keeps two generations: what is used is in the young one, and when that is full it becomes the old one, whose
 * entries go unless they are used again. So the bound is held without reordering anything on each hit.
 */
export class LruMap<K, V> {
  readonly #half: number;
  #young = new Map<K, { readonly value: V; readonly weight: number }>();
  #old = new Map<K, { readonly value: V; readonly weight: number }>();
  /** Of the young generation. */
  #weight = 0;

  /** @param bound the sum of weights to keep; an entry of more than half of it is never kept */
  constructor(bound: number) {
    this.#half = bound / 2;
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) {
      return young.value;
    }
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.set(key, old.value, old.weight);
    }
    return old?.value;
  }

  set(key: K, value: V, weight = 1): void {
    this.delete(key);
    if (weight > this.#half) {
      return;
    }
    if (this.#weight + weight > this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#weight = 0;
    }
    this.#young.set(key, { value, weight });
    this.#weight += weight;
  }

  delete(key: K): void {
    this.#weight -= this.#young.get(key)?.weight ?? 0;
    this.#young.delete(key);
    this.#old.delete(key);
  }
}
