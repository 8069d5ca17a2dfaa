/** Finds out which datacenter signed a request on the link listener. */
import type { IncomingHttpHeaders } from 'node:http';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { MODERN_ALGORITHMS } from '#lib/signing/algorithms.ts';
import { basePathOf } from '#lib/signing/as-sent.ts';
import { KeyError, SignatureError } from '#lib/signing/errors.ts';
import { type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import { LINK_SIGNED_HEADERS, needsNonce } from '#lib/signing/sign-request.ts';
import { parseAuthorization, type RequestTarget } from '#lib/signing/signature-header.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { cutText } from '#lib/text/cut-text.ts';
import type { Service } from '../../service/service.ts';
import type { LinkRecord } from './documents.ts';
import { findLink } from './links.ts';
import { spendNonce } from './nonces.ts';

const KEY_ID = /^\/([^/]+)\/keys\/(SHA256:[A-Za-z0-9+/]{43})$/;

/** The parts of a request that authentication needs. */
export interface SignedCall {
  readonly method: string;
  /** Path and query as sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** The key id with which a datacenter signs. */
export function keyIdOf(datacenter: string, fingerprint: string): string {
  return `/${datacenter}/keys/${fingerprint}`;
}

/** The fingerprint in a key id made by `keyIdOf`; empty for any other text. */
export function fingerprintIn(keyId: string): string {
  return KEY_ID.exec(keyId)?.[2] ?? '';
}

/**
 * For the link listener. Routes with `auth: 'none'` check a proof of their own; all others are for linked datacenters
 * only. @throws 401 UnauthorizedError
 */
export function linkAuthentication(
  service: Service,
): (call: SignedCall, route: { readonly auth: string }) => Promise<{ datacenter?: string }> {
  return async (call, route) => (route.auth === 'none' ? {} : authenticateLink(service, call));
}

/**
 * Does not check the body against the signed digest; `readSignedBody` does that.
 * @throws 401 UnauthorizedError, which states the skew when the clocks differ too much
 */
async function authenticateLink(
  service: Service,
  { method, url, headers }: SignedCall,
): Promise<{ readonly datacenter: string }> {
  let link: LinkRecord | undefined;
  try {
    const [, name = '', fingerprint = ''] = KEY_ID.exec(parseAuthorization(headers).keyId) ?? [];
    link = name === '' ? undefined : (await findLink(service, name))?.value;
    const known = link;
    const request = { method, path: url, headers };
    const verified = await verifyRequest(known ? asSent(known, request) : request, {
      keysOf: () => (known ? keysOf(service, known, fingerprint) : []),
      algorithms: MODERN_ALGORITHMS,
      required: LINK_SIGNED_HEADERS,
      // The same clock as for nonces: with another, a signature could stay valid after its nonce was forgotten.
      clock: service.store,
      maxSkew: service.config.links.clockSkewSeconds,
    });
    if (!link) throw new SignatureError('unknown-key', `key "${verified.keyId}" is unknown`);
    if (needsNonce(method)) await spendNonce(service, link.name, verified.nonce);
    return { datacenter: link.name };
  } catch (cause) {
    if (!(cause instanceof SignatureError)) throw cause;
    const message = link && cause.fault === 'bad-signature' ? whyBad(link, headers.host, cause) : cause.message;
    const asked = { fault: cause.fault, key_id: cause.keyId, url: cutText(url) };
    service.log.warn(asked, 'refused a request on the link listener');
    throw new ApiError('UnauthorizedError', message, { cause });
  }
}

/** The link's keys with that fingerprint: those in its record or, if none, in the shared admin account. */
async function keysOf(service: Service, link: LinkRecord, fingerprint: string): Promise<PublicKey[]> {
  const recorded = link.keys.filter((key) => key.fingerprint === fingerprint).map(({ publicKey }) => publicKey);
  const texts = recorded.length > 0 ? recorded : await adminKeys(service, link.name);
  return texts.flatMap(parsed).filter((key) => key.fingerprints.sha256 === fingerprint);
}

/** Empty if not a key: operators can paste any text into the directory. */
function parsed(text: string): PublicKey[] {
  try {
    return [parsePublicKey(text)];
  } catch (error) {
    if (error instanceof KeyError) return [];
    throw error;
  }
}

/** Datacenters that share a directory may keep their keys on the admin account, under the name `$DC imgapi key`. */
async function adminKeys({ accounts, config }: Service, datacenter: string): Promise<string[]> {
  if (!accounts || config.adminUuid === undefined) return [];
  const keys = await accounts.keysOf(config.adminUuid);
  const text = keys[`${datacenter} imgapi key`];
  return text === undefined ? [] : [text];
}

/**
 * The request as the other datacenter sent it to our public URL, before any proxy of ours changed it. A signature for
 * another host or path is not valid here.
 */
function asSent({ our_url }: LinkRecord, { method, path, headers }: RequestTarget): RequestTarget {
  const { host, given } = hostsOf(our_url, headers['host']);
  return { method, path: basePathOf(our_url) + path, headers: { ...headers, host: given ?? host } };
}

/** `given`: the Host header, if it names the same host as the URL. */
function hostsOf(ourUrl: string, header: RequestTarget['headers'][string]): { host: string; given?: string } {
  const { host, protocol } = new URL(ourUrl);
  const url = `${protocol}//${header}`;
  // The parser drops a default port, which some clients send and others do not.
  const isSame = typeof header === 'string' && URL.canParse(url) && new URL(url).host === host;
  return { host, ...(isSame && { given: header }) };
}

function whyBad({ our_url }: LinkRecord, host: string | undefined, cause: SignatureError): string {
  const { host: ours, given } = hostsOf(our_url, host);
  if (given !== undefined) return cause.message;
  return cutText(
    `${cause.message}: it was received at or signed for host "${host}", but the link is for host "${ours}"`,
  );
}
