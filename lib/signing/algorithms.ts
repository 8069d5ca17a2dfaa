/** Signature algorithms by the names that HTTP Signature gives them. */

export const KEY_TYPES = ['rsa', 'dsa', 'ecdsa', 'ed25519'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

/** Public-key algorithms only: with HMAC, a published key would serve as the secret. */
export const ALGORITHMS = [
  'rsa-sha1',
  'rsa-sha256',
  'rsa-sha384',
  'rsa-sha512',
  'dsa-sha1',
  'dsa-sha256',
  'ecdsa-sha256',
  'ecdsa-sha384',
  'ecdsa-sha512',
  'ed25519-sha512',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** What links between datacenters sign with. SHA-1 and DSA are only for clients that support nothing better. */
export const MODERN_ALGORITHMS: readonly Algorithm[] = [
  'rsa-sha256',
  'rsa-sha384',
  'rsa-sha512',
  'ecdsa-sha256',
  'ecdsa-sha384',
  'ecdsa-sha512',
  'ed25519-sha512',
];

/** The algorithm that a request names; `ed25519` alone is the same as `ed25519-sha512`. */
export function toAlgorithm(name: string): Algorithm | undefined {
  const lower = name.toLowerCase();
  const full = lower === 'ed25519' ? 'ed25519-sha512' : lower;
  return ALGORITHMS.find((algorithm) => algorithm === full);
}

/** `key` and `hash` as node:crypto takes them; Ed25519 has its hash built in. */
export function partsOf(algorithm: Algorithm): { readonly keyType: string; readonly hash: string | null } {
  const [keyType = '', hash = ''] = algorithm.split('-');
  return { keyType, hash: keyType === 'ed25519' ? null : hash };
}
