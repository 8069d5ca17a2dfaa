/** Who may administer links between datacenters. */
import { timingSafeEqual } from 'node:crypto';
import { ensureOperatorToken, operatorTokenPath } from '../datacenters/operator-token.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Service } from '../service.ts';
import type { Call } from './call.ts';

/**
 * Link administration is for operators on this machine, or for those who sign their requests where the config asks for
 * signatures. @throws 401 UnauthorizedError, 403 OperatorOnly
 */
export async function assertLocalOperator({ config }: Service, call: Call): Promise<void> {
  if (call.account !== undefined) throw new ApiError('OperatorOnly', 'links between datacenters are for operators');
  if (config.authType === 'signature' && call.user !== undefined) return;
  const [scheme = '', given = ''] = (call.headers.authorization ?? '').split(' ', 2);
  if (!isLoopback(call.remoteAddress) || call.headers['x-forwarded-for'] !== undefined) {
    throw new ApiError('UnauthorizedError', 'links are administered on the machine itself: use imgapiadm there');
  }
  const token = await ensureOperatorToken(config.dataDir);
  if (scheme.toLowerCase() === 'bearer' && isSame(given, token)) return;
  throw new ApiError(
    'UnauthorizedError',
    `send "Authorization: Bearer TOKEN" with the content of ${operatorTokenPath(config.dataDir)}`,
    { headers: { 'WWW-Authenticate': 'Bearer' } },
  );
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
