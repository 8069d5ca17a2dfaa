import { createHash, type Hash } from 'node:crypto';
import type { Hashes, SessionHashes } from '../object-store.ts';

export const ALGORITHMS = ['sha1', 'sha256', 'md5'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];
/** Without the one that takes the longest. */
export const ALL_BUT_MD5 = ['sha1', 'sha256'] as const satisfies readonly Algorithm[];

const ENCODING = { sha1: 'hex', sha256: 'hex', md5: 'base64' } as const satisfies Record<keyof Hashes, string>;

/** As in {@link Hashes}. */
export function encoded(algorithm: Algorithm, value: Buffer): string {
  return value.toString(ENCODING[algorithm]);
}

/** Some of the hashes of one byte sequence, fed piece by piece. */
export class HashSet {
  readonly #hashes: readonly (readonly [Algorithm, Hash])[];

  constructor(algorithms: readonly Algorithm[]) {
    this.#hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)]);
  }

  update(bytes: Uint8Array): void {
    for (const [, hash] of this.#hashes) {
      hash.update(bytes);
    }
  }

  /** The hashes so far, encoded as in {@link Hashes}; more bytes may follow. */
  digest(): Partial<Hashes> {
    return Object.fromEntries(
      this.#hashes.map(([algorithm, hash]) => [algorithm, hash.copy().digest(ENCODING[algorithm])]),
    );
  }
}

/** @throws TypeError when one is missing */
export function allHashes({ sha1, sha256, md5 }: Partial<Hashes>): Hashes {
  if (md5 === undefined) throw new TypeError('md5 is missing');
  return { ...allButMd5({ sha1, sha256 }), md5 };
}

/** With md5, if that is there. @throws TypeError when another one is missing */
export function allButMd5({ sha1, sha256, md5 }: Partial<Hashes>): SessionHashes {
  if (sha1 === undefined || sha256 === undefined) throw new TypeError('a hash is missing');
  return { sha1, sha256, ...(md5 !== undefined && { md5 }) };
}
