/**
 * Bearer tokens of accounts and of their sub-users. `sub` is the UUID of the account, which a renamed or reused login does not
 * change; or that of a sub-user, if the claim `account` has the UUID of its account.
 */
import { isUuid } from '#lib/text/uuid.ts';
import type { TokenBearer, VerifyToken } from '#lib/tokens/bearer.ts';
import { TokenRefusal } from '#lib/tokens/refusal.ts';
import type { Call, Signer } from './call.ts';
import { CloudapiError } from './errors.ts';
import type { Cloudapi } from './service.ts';

/** Seconds after which keys that could not be had may be there. */
const RETRY_AFTER = 10;

/**
 * Whom a token names. Strangers are all answered the same.
 * @throws 401 InvalidCredentials, 403 NotAuthorized for whoever is disabled, and the sub-users of an account that is, 503
 * ServiceUnavailable while the issuer's keys cannot be had
 */
export async function bearerOf(verify: VerifyToken, cloudapi: Cloudapi, call: Call, token: string): Promise<Signer> {
  // It is for applications, which sign with a key of their own.
  if (call.headers['x-auth-token'] !== undefined) throw refused('X-Auth-Token goes with a signature, not with a token');
  const bearer = await verify(token).catch(refuse);
  const named = await namedBy(cloudapi, bearer);
  if (!named) throw refused(NOBODY);
  const signer: Signer = { ...named, token: isOperators(cloudapi, bearer.scopes) ? 'operator' : 'account' };
  assertEnabled(signer);
  return signer;
}

const NOBODY =
  'the token names nobody here: sub must be the UUID of an account, or of a sub-user of the account whose UUID is in the claim account';

async function namedBy(
  { accounts }: Cloudapi,
  { subject, account: owner }: TokenBearer,
): Promise<Pick<Signer, 'account' | 'subUser'> | undefined> {
  const uuid = owner ?? subject;
  if (!isUuid(uuid) || !isUuid(subject)) return undefined;
  const account = await accounts.byUuid(uuid);
  if (!account || owner === undefined) return account && { account };
  const subUser = await accounts.subUserByUuid(uuid, subject);
  return subUser && { account, subUser };
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
