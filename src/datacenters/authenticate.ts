/** Who signed a request on the link listener. */
import type { IncomingHttpHeaders } from 'node:http';
import { cutText } from '#lib/cut-text.ts';
import { MODERN_ALGORITHMS } from '#lib/signing/algorithms.ts';
import { KeyError, SignatureError } from '#lib/signing/errors.ts';
import { type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import { LINK_SIGNED_HEADERS } from '#lib/signing/sign-request.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Service } from '../service.ts';
import type { LinkRecord } from './documents.ts';
import { findLink } from './links.ts';
import { spendNonce } from './nonces.ts';

const KEY_ID = /^\/([^/]+)\/keys\/(SHA256:[A-Za-z0-9+/]{43})$/;

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD'];

/** What of a request is looked at. */
export interface SignedCall {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** What a link signs as. */
export function keyIdOf(datacenter: string, fingerprint: string): string {
  return `/${datacenter}/keys/${fingerprint}`;
}

/** The fingerprint in such a key id; empty when it is none. */
export function fingerprintIn(keyId: string): string {
  return KEY_ID.exec(keyId)?.[2] ?? '';
}

/**
 * For the link listener. Routes with `auth: 'none'` bring a proof of their own; on all others the caller is a linked
 * datacenter, or the request is refused. @throws 401 UnauthorizedError
 */
export function linkAuthentication(
  service: Service,
): (call: SignedCall, route: { readonly auth: string }) => Promise<{ datacenter?: string }> {
  return async (call, route) => (route.auth === 'none' ? {} : authenticateLink(service, call));
}

/**
 * That the body has the signed digest is for whoever reads it, see `readSignedBody`.
 * @throws 401 UnauthorizedError, naming the skew when the clocks are apart
 */
export async function authenticateLink(
  service: Service,
  { method, url, headers }: SignedCall,
): Promise<{ readonly datacenter: string }> {
  let link: LinkRecord | undefined;
  try {
    const verified = await verifyRequest(
      { method, path: url, headers },
      {
        keysOf: async (keyId) => {
          const [, name = '', fingerprint = ''] = KEY_ID.exec(keyId) ?? [];
          link = name === '' ? undefined : (await findLink(service, name))?.value;
          return link ? keysOf(service, link, fingerprint) : [];
        },
        algorithms: MODERN_ALGORITHMS,
        required: LINK_SIGNED_HEADERS,
        clock: service.clock,
        maxSkew: service.config.links.clockSkewSeconds,
      },
    );
    if (!link) throw new SignatureError('unknown-key', `key "${verified.keyId}" is not known here`);
    assertForUs(link, headers.host);
    if (!SAFE_METHODS.includes(method)) await spendNonce(service, link.name, verified.nonce);
    return { datacenter: link.name };
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const asked = { fault: cause.fault, key_id: cause.keyId, url: cutText(url) };
    service.log.warn(asked, 'refused a request on the link listener');
    throw new ApiError('UnauthorizedError', cause.message, { cause });
  }
}

/** The keys of that fingerprint that the link accepts: recorded ones, else the entry of the shared admin account. */
async function keysOf(service: Service, link: LinkRecord, fingerprint: string): Promise<PublicKey[]> {
  const recorded = link.keys.filter((key) => key.fingerprint === fingerprint).map(({ publicKey }) => publicKey);
  const texts = recorded.length > 0 ? recorded : await adminKeys(service, link.name);
  return texts.flatMap(parsed).filter((key) => key.fingerprints.sha256 === fingerprint);
}

/** What an operator pasted into the directory may be no key at all. */
function parsed(text: string): PublicKey[] {
  try {
    return [parsePublicKey(text)];
  } catch (error) {
    if (error instanceof KeyError) return [];
    throw error;
  }
}

/** Datacenters that share a directory may know each other by the admin account's key `$DC imgapi key`. */
async function adminKeys({ accounts, config }: Service, datacenter: string): Promise<string[]> {
  if (!accounts || config.adminUuid === undefined) return [];
  const admin = await accounts.byUuid(config.adminUuid);
  const text = admin?.keys[`${datacenter} imgapi key`];
  return text === undefined ? [] : [text];
}

/** A request that was signed for somebody else must not be good here, however it came by. */
function assertForUs({ our_url }: LinkRecord, host: string | undefined): void {
  const ours = new URL(our_url);
  const given = `${ours.protocol}//${host}`;
  // The parser drops a default port, which some clients send and others do not.
  if (host !== undefined && URL.canParse(given) && new URL(given).host === ours.host) return;
  throw new SignatureError('bad-signature', `the request is signed for host "${host}", this is "${ours.host}"`);
}
