/** Verifies signed requests. */
import { type Clock, systemClock } from '../runtime/clock.ts';
import type { Algorithm } from './algorithms.ts';
import { SignatureError } from './errors.ts';
import type { PublicKey } from './keys.ts';
import { NONCE_HEADER } from './sign-request.ts';
import {
  headerValue,
  type ParseOptions,
  parseAuthorization,
  type RequestTarget,
  type SignatureParams,
  signingString,
} from './signature-header.ts';
import { type VerifySignatureOptions, verifySignature } from './verify-signature.ts';

/** Seconds by which two clocks may differ. */
const MAX_SKEW = 300;

export interface VerifyRequestOptions extends VerifySignatureOptions, ParseOptions {
  /** Lower-case names that must be signed. A signed `x-date` counts as `date`. */
  readonly required: readonly string[];
  readonly clock?: Clock;
  /** Seconds; default {@link MAX_SKEW}. */
  readonly maxSkew?: number;
  /** The request as its sender saw it, if a proxy may have changed its path or host. A signature over this is valid too. */
  readonly asSent?: RequestTarget | undefined;
}

/** Who signed, and which parts of the request can be relied on. */
export interface VerifiedRequest {
  readonly keyId: string;
  readonly key: PublicKey;
  readonly algorithm: Algorithm;
  readonly date: Date;
  /** Lower-case names of what is signed. */
  readonly signed: readonly string[];
  /** The nonce, if one was signed. The caller has to remember it. */
  readonly nonce?: string;
}

/**
 * Checks the request's signature; {@link verifyDigest} checks the body.
 * @throws SignatureError
 */
export async function verifyRequest(request: RequestTarget, options: VerifyRequestOptions): Promise<VerifiedRequest> {
  const params = parseAuthorization(request.headers, options);
  const { keyId } = params;
  requireSigned(params, options.required);
  const texts = [request, ...(options.asSent ? [options.asSent] : [])].map((seen) => signingString(seen, params));
  const date = signedDate(request, params);

  const { key, algorithm } = await verifySignature({ ...params, texts }, options);
  checkSkew(date, keyId, options.clock ?? systemClock, options.maxSkew ?? MAX_SKEW);

  const nonce = params.headers.includes(NONCE_HEADER) ? headerValue(request.headers, NONCE_HEADER) : undefined;
  return { keyId, key, algorithm, date, signed: params.headers, ...(nonce !== undefined && { nonce }) };
}

function requireSigned(params: SignatureParams, required: readonly string[]): void {
  const signed = new Set(params.headers);
  const missing = required.filter((name) => !signed.has(name) && !(name === 'date' && signed.has('x-date')));
  if (missing.length > 0) {
    throw new SignatureError('unsigned-header', `the signature must cover ${missing.join(', ')}`, {
      keyId: params.keyId,
    });
  }
}

/** Only a signed date says anything about the age of the request. */
function signedDate(request: RequestTarget, params: SignatureParams): Date {
  const name = params.headers.includes('x-date') ? 'x-date' : 'date';
  const { keyId } = params;
  if (!params.headers.includes(name)) {
    throw new SignatureError('unsigned-header', 'the signature must cover date', { keyId });
  }
  const text = headerValue(request.headers, name) ?? '';
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) {
    throw new SignatureError('malformed', `the ${name} header is not a date: "${text}"`, { keyId });
  }
  return date;
}

function checkSkew(requestTime: Date, keyId: string, clock: Clock, allowed: number): void {
  const ourTime = new Date(clock.now());
  const seconds = Math.round((requestTime.getTime() - ourTime.getTime()) / 1000);
  if (Math.abs(seconds) <= allowed) return;
  const direction = seconds > 0 ? 'ahead of' : 'behind';
  throw new SignatureError(
    'skew',
    `the request's clock (${requestTime.toISOString()}) is ${Math.abs(seconds)} s ${direction} ours ` +
      `(${ourTime.toISOString()}); at most ${allowed} s are allowed`,
    { keyId, skew: { seconds, requestTime, ourTime, allowed } },
  );
}
