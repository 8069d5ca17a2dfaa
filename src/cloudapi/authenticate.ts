/**
 * Finds out who signed a request, and for which account it acts. Accounts act for themselves, and so do their sub-users
 * for them; the admin acts for everybody. What a stranger is told does not depend on which accounts and sub-users exist.
 */

import type { Account, SubUser } from '#lib/accounts/accounts.ts';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { asSentTo } from '#lib/signing/as-sent.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import type { PublicKey } from '#lib/signing/keys.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import { activeRoles } from './active-roles.ts';
import type { Call, Principal, Signer } from './call.ts';
import { CloudapiError, notAuthorized } from './errors.ts';
import { type KeyId, parseKeyId } from './key-id.ts';
import { type Cloudapi, findAccount, findSubUser, isAdmin } from './service.ts';

/** @throws 401 InvalidCredentials, 403 NotAuthorized for an account that is disabled, and its sub-users */
export async function authenticate(cloudapi: Cloudapi, call: Call): Promise<Signer> {
  let signer: Signer | undefined;
  const keysOf = async (keyId: string): Promise<readonly PublicKey[]> => {
    const named = parseKeyId(keyId);
    if (!named) throw invalidCredentials(`keyId is "${keyId}"; it must be /LOGIN/keys/FINGERPRINT`);
    const [found, owner] = await signerOf(cloudapi, named);
    signer = found;
    const keys = await cloudapi.accounts.keysOf(...owner);
    return cloudapi.keys.named(keys, named.key, owner[1] ?? owner[0]);
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
  if (signer.account.isDisabled) throw new CloudapiError('NotAuthorized', 'The account is disabled');
  return signer;
}

/** Whom a `keyId` names, if they exist, and the UUIDs of whom to ask the directory for keys. */
type Named = readonly [signer: Signer | undefined, owner: readonly [account: string, subUser?: string]];

/** Strangers are looked up in full too: the time it takes tells nobody who exists. */
async function signerOf(cloudapi: Cloudapi, named: KeyId): Promise<Named> {
  const account = await findAccount(cloudapi, named.account);
  const uuid = account?.uuid ?? NIL_UUID;
  if (named.subuser === undefined) return [account && { account }, [uuid]];
  const subUser = await findSubUser(cloudapi, uuid, named.subuser);
  return [account && subUser && { account, subUser }, [uuid, subUser?.uuid ?? NIL_UUID]];
}

/**
 * Finds the account that an authenticated call acts for: `my` in its path stands for the caller's own account.
 * @throws 403 NotAuthorized; only for the admin: 404 ResourceNotFound
 */
export async function principalOf(cloudapi: Cloudapi, call: Call): Promise<Principal> {
  const { account: name = '' } = call.params;
  if (!call.identity) throw invalidCredentials(REFUSED);
  const { account: caller, subUser } = call.identity;
  const isOwn = name === 'my' || name === caller.login || name === caller.uuid;
  if (subUser) {
    if (!isOwn) throw notAuthorized(name);
    return actingFor(cloudapi, call, caller, subUser);
  }
  const admin = isAdmin(cloudapi, caller);
  if (isOwn) return { caller, account: caller, isAdmin: admin };
  if (!admin) throw notAuthorized(name);
  const account = await findAccount(cloudapi, name);
  if (!account) throw new CloudapiError('ResourceNotFound', `account "${name}" does not exist`);
  return { caller, account, isAdmin: true };
}

/** A sub-user is never the admin, whatever its account is: it may do what policies say. */
async function actingFor(cloudapi: Cloudapi, call: Call, account: Account, user: SubUser): Promise<Principal> {
  const roles = activeRoles(await cloudapi.accounts.rolesOf(account.uuid), account, user, call);
  return { caller: account, account, subUser: { ...user, roles }, isAdmin: false };
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
