/** Public keys as recorded in links: OpenSSH text without the comment, identified by SHA-256 fingerprint. */
import { KeyError } from '#lib/signing/errors.ts';
import { parsePublicKey } from '#lib/signing/keys.ts';
import type { PublicKey } from './documents.ts';

const LONGEST_KEY = 8 * 1024;
const SMALLEST_RSA = 2048;

/** @throws KeyError when the text is not a public key, or the key is too weak for a link */
export function linkKey(text: string, addedAt: string): PublicKey {
  if (text.length > LONGEST_KEY) {
    throw new KeyError(`a public key of ${text.length} characters is too long; at most ${LONGEST_KEY} are allowed`);
  }
  const key = parsePublicKey(text);
  const isStrong = key.type === 'ed25519' || key.type === 'ecdsa' || (key.type === 'rsa' && key.size >= SMALLEST_RSA);
  if (!isStrong) {
    throw new KeyError(
      `a ${key.type} key of ${key.size} bits is too weak: use Ed25519, ECDSA, or RSA with at least ${SMALLEST_RSA} bits`,
    );
  }
  const publicKey = key.openssh.split(' ', 2).join(' ');
  return { fingerprint: key.fingerprints.sha256, publicKey, added_at: addedAt };
}
