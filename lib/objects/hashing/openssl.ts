/**
 * The digests of the OpenSSL that Node has in itself, called by koffi on the threads that read files. A thread of Node that
 * hashes takes 10 MiB before the first byte; this takes none. Where it cannot be done (koffi has no binary for the platform,
 * this Node does not show OpenSSL's functions, a policy forbids a hash) threads of Node hash.
 */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { ALGORITHMS, type Algorithm } from './algorithms.ts';

/** EVP_MAX_MD_SIZE */
const MOST_BYTES = 64;

/** One hash that is being computed. One call at a time, and none after `free`. */
export interface Digest {
  /** The bytes must not change until then. */
  update(bytes: Uint8Array): Promise<void>;
  /** The hash so far; more bytes may follow. */
  value(): Buffer;
  /** Its memory is not the collector's. */
  free(): void;
}

export type StartDigest = (algorithm: Algorithm) => Digest;

/** Bytes that OpenSSL reads now, so that nobody collects them. */
const beingRead = new Set<Uint8Array>();

let known: { readonly start: StartDigest | undefined } | undefined;

/** Undefined if it cannot be done here. */
export function opensslDigests(): StartDigest | undefined {
  known ??= { start: usable() };
  return known.start;
}

function usable(): StartDigest | undefined {
  try {
    const start = load();
    return ALGORITHMS.every((algorithm) => isRight(start, algorithm)) ? start : undefined;
  } catch {
    return undefined;
  }
}

/** Of no bytes. */
function isRight(start: StartDigest, algorithm: Algorithm): boolean {
  const digest = start(algorithm);
  try {
    return digest.value().equals(createHash(algorithm).digest());
  } finally {
    digest.free();
  }
}

function load(): StartDigest {
  // Whoever hashes the first bytes does not wait for anything, so it cannot be imported.
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const own = koffi.load(null);
  const byName = own.func('void *EVP_get_digestbyname(const char *name)');
  const make = own.func('void *EVP_MD_CTX_new()');
  const begin = own.func('int EVP_DigestInit_ex(void *context, void *type, void *engine)');
  const update = own.func('int EVP_DigestUpdate(void *context, const void *bytes, size_t length)');
  const copy = own.func('int EVP_MD_CTX_copy_ex(void *to, void *from)');
  const end = own.func('int EVP_DigestFinal_ex(void *context, _Out_ uint8_t *value, _Out_ unsigned int *length)');
  const free = own.func('void EVP_MD_CTX_free(void *context)');
  const checked = (result: number): void => {
    if (result !== 1) throw new Error('OpenSSL could not compute a hash');
  };
  const withCopy = <T>(context: unknown, use: (copied: unknown) => T): T => {
    const copied = make();
    try {
      checked(copy(copied, context));
      return use(copied);
    } finally {
      free(copied);
    }
  };
  return (algorithm) => {
    const context = make();
    try {
      checked(begin(context, byName(algorithm), null));
    } catch (error) {
      free(context);
      throw error;
    }
    return {
      async update(bytes) {
        const { promise, resolve, reject } = Promise.withResolvers<number>();
        update.async(context, bytes, bytes.length, (error: unknown, result: number) =>
          error ? reject(error) : resolve(result),
        );
        beingRead.add(bytes);
        checked(await promise.finally(() => beingRead.delete(bytes)));
      },
      value() {
        const value = Buffer.alloc(MOST_BYTES);
        const length = [0];
        withCopy(context, (copied) => checked(end(copied, value, length)));
        return value.subarray(0, length[0]);
      },
      free: () => free(context),
    };
  };
}
