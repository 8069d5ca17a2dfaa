/** The Digest header (RFC 3230, SHA-256) for small bodies. Files are verified by their own hashes instead. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { SignatureError } from './errors.ts';

const SHA256 = /^\s*SHA-256=([A-Za-z0-9+/]{43}=)\s*$/i;

/** The header's value; a request without a body has the digest of no bytes. */
export function digestOf(body: string | Uint8Array = ''): string {
  return `SHA-256=${createHash('sha256').update(body).digest('base64')}`;
}

/**
 * Checks a body against the Digest header; `verifyRequest` checks that the header is signed.
 * @throws SignatureError `digest`
 */
export function verifyDigest(header: string | undefined, body: string | Uint8Array = ''): void {
  const sha256 = (header ?? '')
    .split(',')
    .map((item) => SHA256.exec(item)?.[1])
    .find((value) => value !== undefined);
  if (sha256 === undefined) throw new SignatureError('digest', 'the Digest header has no SHA-256 value');
  const actual = createHash('sha256').update(body).digest();
  if (!timingSafeEqual(actual, Buffer.from(sha256, 'base64'))) {
    throw new SignatureError('digest', 'the body does not match the signed digest');
  }
}
