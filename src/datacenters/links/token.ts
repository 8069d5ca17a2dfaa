/**
 * Link tokens, which the operator of one datacenter gives to the operator of the other. The services never send the
 * token to each other; each proves that it knows it by an authentication code over its message.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { invalidParameter } from '#lib/api/errors/api-error.ts';

export const LINK_TOKEN_LIFETIME_MS = 10 * 60_000;

const FORM = /^imgapi-link-v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})$/;

export interface LinkToken {
  readonly id: string;
  /** Key for the authentication codes, hex. */
  readonly verifier: string;
}

/** `imgapi-link-v1.ID.SECRET` */
export function newToken(): { readonly text: string; readonly token: LinkToken } {
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  return { text: `imgapi-link-v1.${id}.${secret}`, token: { id, verifier: verifierOf(id, secret) } };
}

/** @throws 422 InvalidParameter */
export function parseToken(text: string): LinkToken {
  const match = FORM.exec(text.trim());
  const [, id, secret] = match ?? [];
  if (id === undefined || secret === undefined) {
    // The value is secret, so it must not appear in messages or logs.
    throw invalidParameter(
      'token',
      'token does not have the form imgapi-link-v1.ID.SECRET; copy all of what "imgapiadm link-token" printed',
    );
  }
  return { id, verifier: verifierOf(id, secret) };
}

function verifierOf(id: string, secret: string): string {
  return Buffer.from(hkdfSync('sha256', secret, id, 'imgapi link pairing', 32)).toString('hex');
}

/** Part of the authentication code, so that a request cannot be sent back as a reply. */
export type PairingMessage = 'request' | 'reply';

/** Authentication code of a pairing message, hex. */
export function codeOf(verifier: string, message: PairingMessage, parts: readonly string[]): string {
  const hmac = createHmac('sha256', Buffer.from(verifier, 'hex'));
  // Without the lengths, different lists could give the same bytes.
  for (const part of [message, ...parts]) hmac.update(`${Buffer.byteLength(part)}:${part}`);
  return hmac.digest('hex');
}

export function sameCode(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected, 'utf8'), Buffer.from(given, 'utf8')];
  return a.length === b.length && timingSafeEqual(a, b);
}
