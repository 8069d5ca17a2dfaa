import { randomBytes } from 'node:crypto';

/**
 * Makes etags that never come back: each is unique over all processes, buckets and times, so a value that goes
 * 1 -> 2 -> 1 does not get its old etag again, and an etag alone says which document is meant.
 */
export class EtagSource {
  readonly #prefix = randomBytes(9).toString('base64url');
  #count = 0;

  next(): string {
    this.#count += 1;
    return `${this.#prefix}.${this.#count.toString(36)}`;
  }
}
