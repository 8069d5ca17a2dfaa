/** Who may administer the service: operators on its own machine. */
import { timingSafeEqual } from 'node:crypto';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Config, WithConfig } from '../service/config/config.ts';
import { ensureOperatorToken, operatorTokenPath } from '../service/operator-token.ts';
import { isOfThisMachine } from '../service/own-addresses.ts';
import type { Call } from './call.ts';

/**
 * Administration is for operators on this machine, for those who are logged in at the console, and for those who sign their
 * requests where the config asks for signatures. @throws 401 UnauthorizedError, 403 OperatorOnly
 */
export async function assertLocalOperator({ config }: WithConfig, call: Call): Promise<void> {
  if (call.account !== undefined) {
    throw new ApiError('OperatorOnly', 'administration is for operators; leave out the account parameter');
  }
  if (call.user !== undefined && (config.authType === 'signature' || call.isSession)) return;
  if (await isLocalOperator(config, call)) return;
  if (!isDirect(call)) {
    throw new ApiError('UnauthorizedError', 'this is allowed only from the machine itself: use imgapiadm there');
  }
  throw new ApiError(
    'UnauthorizedError',
    `send "Authorization: Bearer TOKEN" with the content of ${operatorTokenPath(config.dataDir)}`,
    { headers: { 'WWW-Authenticate': 'Bearer' } },
  );
}

/** Whether the request comes from this machine and has the secret that only its operators can read. */
export async function isLocalOperator({ dataDir }: Config, call: Call): Promise<boolean> {
  const [scheme = '', given = ''] = (call.headers.authorization ?? '').split(' ', 2);
  if (scheme.toLowerCase() !== 'bearer' || !isDirect(call)) return false;
  return isSame(given, await ensureOperatorToken(dataDir));
}

/** From this machine, and not through a proxy on it that serves others. */
function isDirect(call: Call): boolean {
  // Dual-stack sockets show IPv4 addresses in this form.
  const address = call.remoteAddress.replace(/^::ffff:/, '');
  return isOfThisMachine(address) && call.headers['x-forwarded-for'] === undefined;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
