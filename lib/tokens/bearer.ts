/**
 * Bearer tokens (RFC 6750): JWTs that an issuer signed with ES256. Nothing in a token says how it is verified or where its key is:
 * the algorithm is one, and keys are those of the configured issuer alone, so `jwk`, `jku`, `x5c` and `x5u` mean nothing.
 */
import type { errors, JWTPayload, JWTVerifyGetKey } from 'jose';
import type { Clock } from '../runtime/clock.ts';
import type { KeySource } from './issuer-keys.ts';
import { TokenRefusal } from './refusal.ts';

export interface TokenRules {
  /** What `iss` must be. */
  readonly issuer: string;
  /** What must be in `aud`. */
  readonly audience: string;
  readonly keys: KeySource;
  readonly cacheSeconds: number;
  /** How far the issuer's clock may be from ours. */
  readonly clockToleranceSeconds: number;
  /** From `iat` to `exp`. */
  readonly maxLifetimeSeconds: number;
}

/** What an accepted token says. */
export interface TokenBearer {
  readonly subject: string;
  /** The claim `account`: that the subject is a sub-user, and whose. Absent: an account itself, or an operator. */
  readonly account?: string;
  readonly scopes: ReadonlySet<string>;
}

/** @throws TokenRefusal */
export type VerifyToken = (token: string) => Promise<TokenBearer>;

const ALGORITHM = 'ES256';
const LONGEST_TOKEN = 8192;
const LONGEST_SUBJECT = 256;
/** Other types, such as `logout+jwt` or `secevent+jwt`, are signed by the same keys and mean something else. */
const TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt', 'application/at+jwt']);
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** The credentials after `Bearer`; undefined if the header has another scheme or none. */
export function bearerIn(authorization: string | undefined): string | undefined {
  return /^bearer +(\S.*)$/is.exec(authorization?.slice(0, 2 * LONGEST_TOKEN).trim() ?? '')?.[1];
}

/** Whether it has the form of a JWT, as no other secret that is sent in this way. */
export function isJwt(credentials: string): boolean {
  return credentials.includes('.');
}

export function tokenVerifier(rules: TokenRules, clock: Clock): VerifyToken {
  let keys: JWTVerifyGetKey | undefined;
  return async (token) => {
    if (token.length > LONGEST_TOKEN) {
      throw new TokenRefusal('malformed', `the token is longer than ${LONGEST_TOKEN} characters`);
    }
    if (!FORM.test(token)) throw new TokenRefusal('malformed', 'the token is no signed JWT');
    // Loaded with the first token: most servers never get one.
    const [jose, { issuerKeys }] = await Promise.all([import('jose'), import('./issuer-keys.ts')]);
    keys ??= issuerKeys({ source: rules.keys, cacheSeconds: rules.cacheSeconds, clock });
    try {
      const { payload, protectedHeader } = await jose.jwtVerify(token, keys, {
        algorithms: [ALGORITHM],
        issuer: rules.issuer,
        audience: rules.audience,
        clockTolerance: rules.clockToleranceSeconds,
        currentDate: new Date(clock.now()),
        requiredClaims: ['exp', 'iat', 'sub'],
      });
      assertType(protectedHeader.typ);
      return bearerOf(payload, rules, clock.now() / 1000);
    } catch (error) {
      throw error instanceof TokenRefusal ? error : refusalOf(error, jose.errors);
    }
  };
}

function assertType(type: string | undefined): void {
  if (type === undefined || TYPES.has(type.toLowerCase())) return;
  throw new TokenRefusal('claims', 'the token is none for access: its typ is neither JWT nor at+jwt');
}

function bearerOf(payload: JWTPayload, rules: TokenRules, now: number): TokenBearer {
  const { sub, iat, exp } = payload;
  if (typeof sub !== 'string' || !isName(sub)) throw new TokenRefusal('claims', 'sub of the token is no name');
  if (iat === undefined || exp === undefined || exp - iat > rules.maxLifetimeSeconds) {
    throw new TokenRefusal('claims', `the token is good for more than ${rules.maxLifetimeSeconds} seconds`);
  }
  if (iat > now + rules.clockToleranceSeconds) throw new TokenRefusal('expired', 'the token was issued in the future');
  // Only who proves to have a certain key may use such a token; whoever sends it as it is may have found it.
  if (payload['cnf'] !== undefined) throw new TokenRefusal('claims', 'the token is bound to a key (cnf)');
  const { scope, account } = payload;
  if (account !== undefined && (typeof account !== 'string' || !isName(account))) {
    throw new TokenRefusal('claims', 'account of the token is no name');
  }
  // Who is its own account is no sub-user.
  const ofSubUser = account !== undefined && account !== sub && { account };
  return {
    subject: sub,
    ...ofSubUser,
    scopes: new Set(typeof scope === 'string' ? scope.split(' ').filter(Boolean) : []),
  };
}

/** It goes into logs. */
function isName(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text) && text.length <= LONGEST_SUBJECT;
}

/** What jose throws holds the claims of the token, so it is no cause. */
function refusalOf(error: unknown, jose: typeof errors): TokenRefusal {
  if (error instanceof jose.JWTExpired) return new TokenRefusal('expired', 'the token is over');
  if (error instanceof jose.JWTClaimValidationFailed) {
    const { claim } = error;
    if (claim === 'nbf') return new TokenRefusal('expired', 'the token has not begun');
    return new TokenRefusal('claims', `${claim} of the token is missing or not what is asked for here`);
  }
  if (error instanceof jose.JWSSignatureVerificationFailed) {
    return new TokenRefusal('bad-signature', 'the signature of the token is wrong');
  }
  if (error instanceof jose.JOSEAlgNotAllowed) {
    return new TokenRefusal('malformed', `the token must be signed with ${ALGORITHM}`);
  }
  return new TokenRefusal('malformed', 'the token cannot be read');
}
