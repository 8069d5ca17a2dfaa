/** Signers for a client: each takes a request and returns the headers to add. */

import { type Clock, systemClock } from '../runtime/clock.ts';
import { newUuid } from '../text/uuid.ts';
import { digestOf } from './digest.ts';
import type { PrivateKey } from './keys.ts';
import {
  CLASSIC_SIGNED_HEADERS,
  LINK_SIGNED_HEADERS,
  needsNonce,
  type SignedHeaders,
  signRequest,
} from './sign-request.ts';
import type { RequestTarget } from './signature-header.ts';

export interface SignableRequest extends RequestTarget {
  /** A small body. Absent if there is none, or if it is a stream, which cannot be signed. */
  readonly body?: string | Uint8Array;
}

export type Signer = (request: SignableRequest) => SignedHeaders | Promise<SignedHeaders>;

export interface SignerOptions {
  readonly key: PrivateKey;
  readonly keyId: string;
  readonly clock?: Clock;
}

/** For links: covers target, host, date and body; writes also carry a nonce. */
export function linkSigner({ key, keyId, clock = systemClock }: SignerOptions): Signer {
  return ({ method, path, headers, body }) =>
    signRequest({
      method,
      path,
      headers,
      key,
      keyId,
      date: new Date(clock.now()),
      signed: LINK_SIGNED_HEADERS,
      digest: digestOf(body),
      ...(needsNonce(method) && { nonce: newUuid() }),
    });
}

/** For an IMGAPI with `authType: signature`: covers only the date; `keyId` is the user's name. */
export function classicSigner({ key, keyId, clock = systemClock }: SignerOptions): Signer {
  return ({ method, path, headers }) =>
    signRequest({ method, path, headers, key, keyId, date: new Date(clock.now()), signed: CLASSIC_SIGNED_HEADERS });
}
