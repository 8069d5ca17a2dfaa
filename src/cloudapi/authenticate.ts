/**
 * Finds out who signed a request or sent a token, and for which account it acts. Accounts act for themselves, and so do their sub-users
 * for them; the admin acts for everybody. What a stranger is told does not depend on which logins exist.
 */

import type { Account, SubUser } from '#lib/accounts/accounts.ts';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { asSentTo } from '#lib/signing/as-sent.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import type { PublicKey } from '#lib/signing/keys.ts';
import { isPresigned, verifyPresigned } from '#lib/signing/presigned.ts';
import { type VerifyRequestOptions, verifyRequest } from '#lib/signing/verify-request.ts';
import { isUuid, NIL_UUID } from '#lib/text/uuid.ts';
import { bearerIn } from '#lib/tokens/bearer.ts';
import { activeRoles } from './active-roles.ts';
import { grantedBy } from './auth-token.ts';
import { assertEnabled, bearerOf } from './bearer.ts';
import type { Call, Principal, Signer } from './call.ts';
import { CloudapiError, notAuthorized } from './errors.ts';
import { type KeyId, parseKeyId } from './key-id.ts';
import { type Cloudapi, findAccount, findSubUser, isAdmin } from './service.ts';

/**
 * Tries what the request carries in the order of Triton's CloudAPI: parameters of the URL, the header `Authorization`, and
 * after either of these `X-Auth-Token`.
 * @throws 400 InvalidHeader, 401 InvalidCredentials, 403 NotAuthorized for whoever is disabled, and the sub-users of an account that is
 */
export async function authenticate(cloudapi: Cloudapi, call: Call): Promise<Signer> {
  const token = cloudapi.tokens && !isPresigned({ path: call.url }) ? bearerIn(call.headers.authorization) : undefined;
  if (cloudapi.tokens && token !== undefined) return bearerOf(cloudapi.tokens, cloudapi, call, token);
  let signed: Signed | undefined;
  const keysOf = async (keyId: string): Promise<readonly PublicKey[]> => {
    const named = parseKeyId(keyId);
    if (!named) throw invalidCredentials(`Invalid KeyId ${keyId} in authorization header; it must be ${KEY_ID_FORM}`);
    const [signer, owner] = await signerOf(cloudapi, named);
    signed = { signer, keyId };
    const keys = await cloudapi.accounts.keysOf(...owner);
    return cloudapi.keys.named(keys, named.key, owner[1] ?? owner[0]);
  };
  try {
    await verify(cloudapi, call, keysOf);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    throw refusalOf(error, call);
  }
  if (!signed?.signer) throw invalidCredentials(REFUSED);
  const { signer, keyId } = signed;
  assertEnabled(signer);
  if (call.headers['x-auth-token'] === undefined) return signer;
  const granted = await grantedBy(cloudapi, call, signer, keyId);
  assertEnabled(granted);
  return granted;
}

interface Signed {
  readonly signer: Signer | undefined;
  readonly keyId: string;
}

async function verify(
  { config, clock }: Cloudapi,
  { method, url: path, headers }: Call,
  keysOf: VerifyRequestOptions['keysOf'],
): Promise<void> {
  const request = { method, path, headers };
  const options = { asSent: asSentTo(config.publicUrl, request), keysOf, algorithms: ALGORITHMS, clock };
  if (isPresigned(request)) await verifyPresigned(request, options);
  else {
    await verifyRequest(request, { ...options, olderForm: true, required: ['date'], maxSkew: config.clockSkewSeconds });
  }
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
 * @throws 403 NotAuthorized; 404 ResourceNotFound for a UUID that nobody has, and to the admin for a login
 */
export async function principalOf(cloudapi: Cloudapi, call: Call): Promise<Principal> {
  const { account: name = '' } = call.params;
  if (!call.identity) throw invalidCredentials(REFUSED);
  const { account: caller, subUser, token } = call.identity;
  const isOwn = name === 'my' || name === caller.login || name === caller.uuid;
  if (subUser) {
    if (!isOwn) throw notAuthorized(name);
    return actingFor(cloudapi, call, caller, subUser);
  }
  const admin = isAdmin(cloudapi, caller) && token !== 'account';
  if (isOwn) return { caller, account: caller, isAdmin: admin };
  // Which logins there are is told to the admin alone, by the time that it takes as well; a UUID cannot be guessed.
  if (!admin && !isUuid(name)) throw notAuthorized(name);
  const account = await findAccount(cloudapi, name);
  if (!account) throw new CloudapiError('ResourceNotFound', `${name} does not exist`);
  if (!admin) throw notAuthorized(name);
  return { caller, account, isAdmin: true };
}

/** A sub-user is never the admin, whatever its account is: it may do what policies say. */
async function actingFor(cloudapi: Cloudapi, call: Call, account: Account, user: SubUser): Promise<Principal> {
  const roles = activeRoles(await cloudapi.accounts.rolesOf(account.uuid), account, user, call);
  return { caller: account, account, subUser: { ...user, roles }, isAdmin: false };
}

/** @throws 403 NotAuthorized for an account that may work in other datacenters alone */
export function assertAllowedHere({ config }: Cloudapi, { account }: Principal): void {
  if (!config.accountAllowedDcs || account.allowedDatacenters?.includes(config.datacenterName)) return;
  throw new CloudapiError(
    'NotAuthorized',
    `Forbidden (account ${account.login} may not work in ${config.datacenterName})`,
  );
}

const REFUSED = 'Invalid authorization credentials supplied';
const KEY_ID_FORM = '/LOGIN/keys/FINGERPRINT or /LOGIN/users/SUBUSER/keys/FINGERPRINT';

function refusalOf(error: SignatureError, { url: path, headers }: Call): CloudapiError {
  switch (error.fault) {
    case 'unknown-key':
    case 'bad-signature':
      return invalidCredentials(REFUSED, error);
    default:
      if (isPresigned({ path })) return invalidCredentials(error.message, error);
      if (!isSigned(headers)) return invalidCredentials('You must make authenticated requests to use CloudAPI', error);
      return new CloudapiError('InvalidHeader', error.message, { cause: error });
  }
}

/** Other schemes, such as Basic, count as none. */
function isSigned({ authorization = '' }: Call['headers']): boolean {
  return /^\s*signature\b/i.test(authorization);
}

function invalidCredentials(message: string, cause?: unknown): CloudapiError {
  return new CloudapiError('InvalidCredentials', message, { cause, headers: { 'WWW-Authenticate': 'Signature' } });
}
