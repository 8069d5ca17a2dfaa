/** Signs requests, each on its own, so that an order that takes hours never depends on a token that could expire. */
import { sign } from 'node:crypto';
import { type Algorithm, partsOf } from './algorithms.ts';
import { KeyError } from './errors.ts';
import type { PrivateKey } from './keys.ts';
import { formatAuthorization, type HeaderValues, REQUEST_TARGET, signingString } from './signature-header.ts';

/** What links between datacenters sign. */
export const LINK_SIGNED_HEADERS: readonly string[] = [REQUEST_TARGET, 'host', 'date', 'digest'];

/** What clients of today's IMGAPI sign. */
export const CLASSIC_SIGNED_HEADERS: readonly string[] = ['date'];

/** Header with a value that is used only once, so that a recorded write cannot be replayed. */
export const NONCE_HEADER = 'x-nonce';

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/** Whether a request over a link carries a nonce. */
export function needsNonce(method: string): boolean {
  return !SAFE_METHODS.includes(method);
}

export interface SignRequestOptions {
  readonly method: string;
  /** As on the request line: path with query. */
  readonly path: string;
  /** Headers that will be sent, by lower-case name; must include `host` if it is signed. */
  readonly headers: HeaderValues;
  readonly key: PrivateKey;
  readonly keyId: string;
  readonly date: Date;
  /** Names of what is signed; the nonce is added automatically. */
  readonly signed: readonly string[];
  readonly nonce?: string;
  /** Value of the Digest header. */
  readonly digest?: string;
  /** Default: the one that suits the key. */
  readonly algorithm?: Algorithm;
}

/** The headers to add to the request. */
export type SignedHeaders = Readonly<Record<string, string>>;

/** @throws KeyError when the algorithm is not one of the key's */
export function signRequest(options: SignRequestOptions): SignedHeaders {
  const algorithm = options.algorithm ?? defaultAlgorithm(options.key);
  const { keyType, hash } = partsOf(algorithm);
  if (keyType !== options.key.publicKey.type) {
    throw new KeyError(`key ${options.keyId} is of type ${options.key.publicKey.type} and cannot sign ${algorithm}`);
  }
  const added: Record<string, string> = { date: options.date.toUTCString() };
  if (options.digest !== undefined) added['digest'] = options.digest;
  if (options.nonce !== undefined) added[NONCE_HEADER] = options.nonce;
  const params = {
    keyId: options.keyId,
    algorithm,
    headers: options.nonce === undefined ? options.signed : [...options.signed, NONCE_HEADER],
  };
  const text = signingString(
    { method: options.method, path: options.path, headers: { ...options.headers, ...added } },
    params,
  );
  const signature = sign(hash, Buffer.from(text), options.key.keyObject);
  return { ...added, authorization: formatAuthorization({ ...params, signature }) };
}

/** The strongest algorithm that every implementation supports for such a key. */
export function defaultAlgorithm(key: PrivateKey): Algorithm {
  const { type, size } = key.publicKey;
  switch (type) {
    case 'rsa':
      return 'rsa-sha256';
    case 'dsa':
      return 'dsa-sha1';
    case 'ed25519':
      return 'ed25519-sha512';
    case 'ecdsa':
      if (size >= 512) return 'ecdsa-sha512';
      return size >= 384 ? 'ecdsa-sha384' : 'ecdsa-sha256';
  }
}
