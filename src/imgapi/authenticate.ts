/**
 * HTTP Signature on the main port. It signs the Date header, and `keyId` is the bare user name. Bearer tokens are beside it
 * where they are configured. With `authType` none nothing is checked but
 * who the operator of this machine is. Who is logged in at the console needs no signature. An unknown user and a bad signature get the same answer.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { asSentTo } from '#lib/signing/as-sent.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import { verifyRequest } from '#lib/signing/verify-request.ts';
import { bearerIn, isJwt } from '#lib/tokens/bearer.ts';
import type { Service } from '../service/service.ts';
import type { AuthKeys } from './auth-keys.ts';
import type { Call, Identity, Route } from './call.ts';
import { loggedInUser } from './console-session.ts';
import { isLocalOperator } from './local-operator.ts';
import { tokenIdentities } from './token-identity.ts';

const NOBODY: Identity = Object.freeze({});
/** A caller on this machine who can read the operator's secret needs no key. */
const LOCAL_OPERATOR: Identity = Object.freeze({ user: 'operator' });

export function authenticator(
  service: Pick<Service, 'config' | 'store' | 'clock' | 'accounts'>,
  keys: AuthKeys,
): (call: Call, route: Route) => Identity | Promise<Identity> {
  const { config } = service;
  const verified = verifier(service, keys);
  const unknown = (call: Call, route: Route) => {
    if (config.authType !== 'none') return verified(call, route);
    // Outside `dc` mode lists show nobody what is not active, and whoever runs the server has to find it.
    if (config.mode === 'dc' || call.headers.authorization === undefined) return NOBODY;
    return isLocalOperator(config, call).then((isOperator) => (isOperator ? LOCAL_OPERATOR : NOBODY));
  };
  // A session ends with the last key of its user.
  const isStillUser = async (user: string): Promise<boolean> => {
    if (config.authType === 'none' || user === LOCAL_OPERATOR.user) return true;
    await keys.refresh();
    return keys.keysOf(user).length > 0;
  };
  return (call, route) => {
    if (route.auth === 'none') return NOBODY;
    if (call.headers.cookie === undefined) return unknown(call, route);
    return loggedInUser(service, call).then(async (user) => {
      const isKnown = user !== undefined && (await isStillUser(user));
      return isKnown ? { user, isSession: true } : unknown(call, route);
    });
  };
}

function verifier(
  service: Pick<Service, 'config' | 'clock' | 'accounts'>,
  keys: AuthKeys,
): (call: Call, route: Route) => Promise<Identity> {
  const { config, clock } = service;
  const byToken = tokenIdentities(service);
  return async (call, route) => {
    const { authorization } = call.headers;
    if (authorization === undefined && route.auth !== 'strict') return NOBODY;
    const token = jwtIn(call);
    if (byToken && token !== undefined) return byToken(token, call, route);
    if (route.auth === 'operator' && !/^signature /i.test(authorization ?? '')) return NOBODY;
    if (await isLocalOperator(config, call)) return LOCAL_OPERATOR;
    await keys.refresh();
    try {
      const request = { method: call.method, path: call.url, headers: call.headers };
      const { keyId } = await verifyRequest(request, {
        asSent: asSentTo(config.publicUrl, request),
        ...{ keysOf: keys.keysOf, algorithms: ALGORITHMS, required: ['date'], clock },
        // The same number of verifications for every user, so that timing does not tell which users exist.
        verifications: keys.mostKeys(),
      });
      return { user: keyId };
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      if (route.auth === 'lenient') return NOBODY;
      throw new ApiError('UnauthorizedError', messageFor(error), {
        cause: error,
        headers: { 'WWW-Authenticate': 'Signature' },
      });
    }
  };
}

function messageFor(error: SignatureError): string {
  return error.fault === 'unknown-key' || error.fault === 'bad-signature' ? 'Unauthorized' : error.message;
}

/** The operator's secret of this machine is sent in the same way, and has another form. */
function jwtIn({ headers }: Call): string | undefined {
  const credentials = bearerIn(headers.authorization);
  return credentials !== undefined && isJwt(credentials) ? credentials : undefined;
}
