/** Bearer tokens of accounts: `sub` is the UUID of the account, which a renamed or reused login does not change. */
import { isUuid } from '#lib/text/uuid.ts';
import type { TokenBearer, VerifyToken } from '#lib/tokens/bearer.ts';
import { TokenRefusal } from '#lib/tokens/refusal.ts';
import type { Call, Signer } from './call.ts';
import { CloudapiError } from './errors.ts';
import type { Cloudapi } from './service.ts';

/** Seconds after which keys that could not be had may be there. */
const RETRY_AFTER = 10;

/**
 * The account that a token names.
 * @throws 401 InvalidCredentials, 403 NotAuthorized for an account that is disabled, 503 ServiceUnavailable while the
 * issuer's keys cannot be had
 */
export async function bearerOf(verify: VerifyToken, cloudapi: Cloudapi, call: Call, token: string): Promise<Signer> {
  // It is for applications, which sign with a key of their own.
  if (call.headers['x-auth-token'] !== undefined) throw refused('X-Auth-Token goes with a signature, not with a token');
  const { subject, scopes } = await verify(token).catch(refuse);
  const account = isUuid(subject) ? await cloudapi.accounts.byUuid(subject) : undefined;
  if (!account) throw refused('sub of the token is not the UUID of an account');
  const signer: Signer = { account, token: isOperators(cloudapi, scopes) ? 'operator' : 'account' };
  assertEnabled(signer);
  return signer;
}

/** @throws 403 NotAuthorized */
export function assertEnabled({ account, subUser }: Signer): void {
  if (account.isDisabled || subUser?.isDisabled) {
    throw new CloudapiError('NotAuthorized', 'Account or user is disabled');
  }
}

function isOperators({ config }: Cloudapi, scopes: ReadonlySet<string>): boolean {
  const scope = config.tokens?.operatorScope;
  return scope !== undefined && scopes.has(scope);
}

function refuse(error: unknown): Promise<TokenBearer> {
  if (!(error instanceof TokenRefusal)) throw error;
  if (error.fault !== 'keys-unavailable') throw refused(error.message, error);
  const headers = { 'Retry-After': String(RETRY_AFTER) };
  throw new CloudapiError('ServiceUnavailable', error.message, { cause: error, headers });
}

function refused(message: string, cause?: unknown): CloudapiError {
  const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  return new CloudapiError('InvalidCredentials', message, { cause, headers });
}
