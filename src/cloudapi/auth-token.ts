/**
 * The header `X-Auth-Token`: an application signs the request with its own key, and a token of keyapi says for whom it
 * asks. The token names the key that may use it, the paths that it opens, and when it ends.
 */
import { openToken, TokenError } from '#lib/signing/secure-token.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { pathOf } from '../http-kit/request-head.ts';
import type { Call, Signer } from './call.ts';
import { CloudapiError } from './errors.ts';
import type { Cloudapi } from './service.ts';

interface Grant {
  readonly account?: { readonly uuid?: unknown };
  readonly subuser?: { readonly login?: unknown };
  /** The `keyId` of the application. */
  readonly devkeyId?: unknown;
  readonly permissions?: { readonly cloudapi?: unknown };
  readonly expires?: unknown;
}

/**
 * Whom the token names. What is wrong with it is for the log: whoever tries one learns nothing.
 * @param application whose key signed
 * @param keyId of that key
 * @throws 401 InvalidCredentials
 */
export async function grantedBy(cloudapi: Cloudapi, call: Call, application: Signer, keyId: string): Promise<Signer> {
  try {
    const token = String(call.headers['x-auth-token']);
    return await signerOf(cloudapi, call, await openToken(token, cloudapi.config.tokenKeys), { application, keyId });
  } catch (error) {
    if (!(error instanceof TokenError)) throw error;
    cloudapi.log.warn(
      { err: error, application: application.account.login, req_id: call.requestId },
      'a token was refused',
    );
    throw new CloudapiError('InvalidCredentials', 'The token provided is not authorized for this application', {
      cause: error,
    });
  }
}

interface Asking {
  readonly application: Signer;
  readonly keyId: string;
}

async function signerOf(
  { accounts, clock }: Cloudapi,
  call: Call,
  content: unknown,
  { application, keyId }: Asking,
): Promise<Signer> {
  const { account: granted, subuser, devkeyId, permissions, expires } = (content ?? {}) as Grant;
  if (devkeyId !== keyId) throw new TokenError('it is for another key');
  if (expires !== undefined && !isToCome(expires, clock.now())) throw new TokenError('it expired');
  if (!isOpen(permissions?.cloudapi, pathOf(call.url))) throw new TokenError('it does not open this path');
  const account = isUuid(granted?.uuid) ? await accounts.byUuid(granted.uuid) : undefined;
  if (!account) throw new TokenError('there is no such account');
  const by = { application: application.account.login };
  if (subuser === undefined || subuser === null) return { account, ...by };
  const { login } = subuser;
  const subUser = typeof login === 'string' ? await accounts.subUserByLogin(account.uuid, login) : undefined;
  if (!subUser) throw new TokenError('the account has no such sub-user');
  return { account, subUser, ...by };
}

/** What cannot be read as a time is not to come. */
function isToCome(time: unknown, now: number): boolean {
  return (typeof time === 'string' || typeof time === 'number') && new Date(time).getTime() >= now;
}

/** A path is opened as it is written; `/alice/*` opens everything below `/alice`, and that itself. */
function isOpen(paths: unknown, asked: string): boolean {
  if (!Array.isArray(paths)) return false;
  return paths.some((path) => {
    if (path === asked) return true;
    if (typeof path !== 'string') return false;
    const [below, ...more] = path.split('/*');
    return more.length === 1 && more[0] === '' && (asked === below || asked.startsWith(`${below}/`));
  });
}
