/**
 * Finds out who signed a request, and for which account it acts. Accounts act for themselves; the admin acts for
 * everybody. What a stranger is told does not depend on which accounts exist.
 */

import type { Account } from '#lib/accounts/accounts.ts';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { asSentTo } from '#lib/signing/as-sent.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import type { PublicKey } from '#lib/signing/keys.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import type { Call, Principal } from './call.ts';
import { CloudapiError, notAuthorized } from './errors.ts';
import { parseKeyId } from './key-id.ts';
import { type Cloudapi, findAccount, isAdmin } from './service.ts';

/** Returns the login of the account that signed. @throws 401 InvalidCredentials, 403 NotAuthorized for a sub-user */
export async function authenticate(cloudapi: Cloudapi, call: Call): Promise<string> {
  let signer: Account | undefined;
  const keysOf = async (keyId: string): Promise<readonly PublicKey[]> => {
    signer = await accountOf(cloudapi, keyId);
    // Asked for a stranger too: the time it takes tells nobody who exists.
    const keys = await cloudapi.accounts.keysOf(signer?.uuid ?? NIL_UUID);
    return cloudapi.keys.named(keys, parseKeyId(keyId)?.key ?? '', signer?.uuid);
  };
  try {
    const request = { method: call.method, path: call.url, headers: call.headers };
    await verifyRequest(request, {
      asSent: asSentTo(cloudapi.config.publicUrl, request),
      keysOf,
      algorithms: ALGORITHMS,
      required: ['date'],
      clock: cloudapi.clock,
      maxSkew: cloudapi.config.clockSkewSeconds,
    });
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw invalidCredentials(messageFor(error), error);
  }
  if (!signer) throw invalidCredentials(REFUSED);
  if (signer.isDisabled) throw new CloudapiError('NotAuthorized', 'The account is disabled');
  return signer.login;
}

/**
 * Finds the account that an authenticated call acts for: `my` in its path stands for the caller's own account.
 * @throws 403 NotAuthorized; only for the admin: 404 ResourceNotFound
 */
export async function principalOf(cloudapi: Cloudapi, { identity: login, params }: Call): Promise<Principal> {
  const { account: name = '' } = params;
  const caller = login === undefined ? undefined : await cloudapi.accounts.byLogin(login);
  if (!caller) throw invalidCredentials(REFUSED);
  const admin = isAdmin(cloudapi, caller);
  if (name === 'my' || name === caller.login || name === caller.uuid) {
    return { caller, account: caller, isAdmin: admin };
  }
  if (!admin) throw notAuthorized(name);
  const account = await findAccount(cloudapi, name);
  if (!account) throw new CloudapiError('ResourceNotFound', `account "${name}" does not exist`);
  return { caller, account, isAdmin: true };
}

async function accountOf(cloudapi: Cloudapi, keyId: string): Promise<Account | undefined> {
  const parsed = parseKeyId(keyId);
  if (!parsed) {
    throw invalidCredentials(`keyId is "${keyId}"; it must be /LOGIN/keys/FINGERPRINT`);
  }
  if (parsed.subuser !== undefined) {
    throw new CloudapiError(
      'NotAuthorized',
      `sub-user "${parsed.subuser}" of account "${parsed.account}" may not use images; sign with a key of the account`,
    );
  }
  return findAccount(cloudapi, parsed.account);
}

const REFUSED = 'The signature does not verify with a key of that name and account';

function messageFor(error: SignatureError): string {
  switch (error.fault) {
    case 'missing':
      return 'You must make authenticated requests to use CloudAPI';
    case 'unknown-key':
    case 'bad-signature':
      return REFUSED;
    default:
      return error.message;
  }
}

function invalidCredentials(message: string, cause?: unknown): CloudapiError {
  return new CloudapiError('InvalidCredentials', message, { cause, headers: { 'WWW-Authenticate': 'Signature' } });
}
