/** Nonces of signed writes: each can be used only once. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { EtagConflictError } from '#lib/documents/errors.ts';
import type { WithStore } from '#lib/documents/store.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { LINK_NONCES, type LinkNonceRecord } from './documents.ts';

/** As long as any signature can be valid: twice the clock skew of 300 s. */
const REMEMBER_MS = 10 * 60_000;

const FORM = /^[A-Za-z0-9._-]{16,100}$/;

/** @throws 401 UnauthorizedError when the nonce was used before */
export async function spendNonce(
  service: WithStore & WithConfig,
  datacenter: string,
  nonce: string | undefined,
): Promise<void> {
  if (nonce === undefined || !FORM.test(nonce)) {
    throw new ApiError(
      'UnauthorizedError',
      'a write over a link must sign a nonce of 16 to 100 letters, digits, ".", "_" or "-"',
    );
  }
  const lifetime = Math.max(REMEMBER_MS, 2 * service.config.links.clockSkewSeconds * 1000);
  const value: LinkNonceRecord = { expires_at: service.store.now() + lifetime };
  try {
    await service.store.batch([{ op: 'put', bucket: LINK_NONCES, key: `${datacenter}:${nonce}`, value, ifEtag: null }]);
  } catch (cause) {
    if (!(cause instanceof EtagConflictError)) throw cause;
    throw new ApiError('UnauthorizedError', 'this request was already received: its nonce has been used', { cause });
  }
}
