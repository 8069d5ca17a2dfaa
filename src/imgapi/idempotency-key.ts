/** The header by which a request that comes again is known, as the IETF's draft calls it. */
import { RequestError } from '../http-kit/request-error.ts';
import type { Call } from './call.ts';

const KEY = /^[\x21-\x7e]{1,255}$/;

/** Undefined if there is none. @throws 400 InvalidHeader */
export function idempotencyKey({ headers }: Call): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && KEY.test(key)) return key;
  throw new RequestError('InvalidHeader', 'Idempotency-Key must be 1 to 255 visible characters of ASCII');
}
