/**
 * Who a bearer token lets in on the main port: the account that its `sub` names by UUID, for requests on behalf of that
 * account (`?account=`) and no others; or an operator, if the configuration names a scope for that and the token has it.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Operation } from '#lib/api/operation.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { type TokenBearer, tokenVerifier } from '#lib/tokens/bearer.ts';
import { TokenRefusal } from '#lib/tokens/refusal.ts';
import { tokenRulesOf } from '../service/config/tokens.ts';
import type { Service } from '../service/service.ts';
import type { Call, Handler, Identity, Route } from './call.ts';

/** Seconds after which keys that could not be had may be there. */
const RETRY_AFTER = 10;

type ByToken = (token: string, call: Call, route: Route) => Promise<Identity>;

/**
 * Undefined where no tokens are accepted. The function throws 401 UnauthorizedError for a token that is not good, or not for
 * the account of the request; 503 ServiceUnavailable while the issuer's keys cannot be had.
 */
export function tokenIdentities(service: Pick<Service, 'config' | 'clock' | 'accounts'>): ByToken | undefined {
  const { tokens } = service.config;
  if (!tokens) return undefined;
  const verify = tokenVerifier(tokenRulesOf(tokens), service.clock);
  return async (token, call, route) => {
    let bearer: TokenBearer;
    try {
      bearer = await verify(token);
    } catch (error) {
      if (!(error instanceof TokenRefusal)) throw error;
      if (route.auth === 'lenient') return {};
      throw answerTo(error);
    }
    const { subject, account, scopes } = bearer;
    // Whatever its scopes are: what a sub-user may do is for policies to say, which only CloudAPI reads.
    if (account !== undefined) throw refused("the token is a sub-user's, whom only CloudAPI lets in");
    if (tokens.operatorScope !== undefined && scopes.has(tokens.operatorScope)) return { user: subject };
    await assertAccount(service, subject);
    if (call.account === subject) return { tokenOf: subject };
    throw refused(`the token is for requests with account=${subject} alone`);
  };
}

function answerTo(error: TokenRefusal): ApiError {
  if (error.fault === 'keys-unavailable') {
    const headers = { 'Retry-After': String(RETRY_AFTER) };
    return new ApiError('ServiceUnavailable', error.message, { cause: error, headers });
  }
  return refused(error.message, error);
}

function refused(message: string, cause?: unknown): ApiError {
  const headers = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  return new ApiError('UnauthorizedError', message, { cause, headers });
}

/** An operator may have taken from an account what it could do, while its token is still good. */
async function assertAccount(
  { config, accounts }: Pick<Service, 'config' | 'accounts'>,
  subject: string,
): Promise<void> {
  if (config.mode !== 'dc' || !accounts) throw refused("this server has no accounts, and the token is no operator's");
  if (!isUuid(subject)) throw refused('sub of the token is not the UUID of an account');
  const account = await accounts.byUuid(subject);
  if (!account || account.isDisabled) throw refused('the account of the token may do nothing here');
}

const ACCOUNTS = ['stranger', 'sharee', 'owner'] as const;

/** Refuses the token of an account where only others than accounts may succeed, whatever the handler looks at. */
export function notForTokens(handler: Handler, { callers }: Pick<Operation, 'callers'>): Handler {
  if (ACCOUNTS.some((kind) => callers.includes(kind))) return handler;
  return (call) => {
    if (call.tokenOf === undefined) return handler(call);
    throw refused("this is for operators, and the token is an account's");
  };
}
