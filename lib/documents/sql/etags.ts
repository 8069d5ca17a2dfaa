import { randomBytes } from 'node:crypto';

/**
 * Makes etags that never come back: each is unique across all processes, buckets and times. So a value that goes
 * 1 -> 2 -> 1 does not get its old etag back, and an etag alone identifies one state of one document.
 */
export class EtagSource {
  readonly #prefix = randomBytes(9).toString('base64url');
  #count = 0;

  next(): string {
    this.#count += 1;
    return `${this.#prefix}.${this.#count.toString(36)}`;
  }
}
