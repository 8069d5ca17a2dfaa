/**
 * The public keys of whoever issues tokens: a JWKS at a URL, or in a file. They are kept for a while, and looked for again when a
 * token names a key that is not among them, but not more often than every half minute. A set that cannot be had any more
 * is used until its time is over, and then none is.
 */
import { readFile } from 'node:fs/promises';
import { createRemoteJWKSet, customFetch, errors, importJWK, type JWK, type JWTVerifyGetKey } from 'jose';
import { smallJson } from '../client/small-json.ts';
import { HttpTransport } from '../client/transport.ts';
import type { Clock } from '../runtime/clock.ts';
import { parseJsonText } from '../text/json.ts';
import { type TokenFault, TokenRefusal } from './refusal.ts';

/** Where the keys are. */
export type KeySource = { readonly url: string } | { readonly file: string };

export interface IssuerKeysOptions {
  readonly source: KeySource;
  /** For how long keys are used before they are looked for again. */
  readonly cacheSeconds: number;
  readonly clock: Clock;
}

/** Of a set; a key takes some 200. */
const LARGEST_SET = 64 * 1024;
/** In which a set must have arrived, whole. */
const PATIENCE_MS = 5000;
const COOL_DOWN_MS = 30_000;
/** A server that is down is not asked for each request. */
const AFTER_FAILURE_MS = 5000;
const LONGEST_KEY_ID = 256;

/** Finds the key that a token names, for `jwtVerify`. @throws TokenRefusal */
export function issuerKeys({ source, cacheSeconds, clock }: IssuerKeysOptions): JWTVerifyGetKey {
  const read = () => readFrom(source);
  let failedAt = Number.NEGATIVE_INFINITY;
  const keys = createRemoteJWKSet(new URL('url' in source ? source.url : 'file:///keys'), {
    cacheMaxAge: cacheSeconds * 1000,
    cooldownDuration: COOL_DOWN_MS,
    timeoutDuration: 2 * PATIENCE_MS,
    [customFetch]: async () => {
      const since = clock.now() - failedAt;
      if (since >= 0 && since < AFTER_FAILURE_MS) throw new TooSoon('they could not be had a moment ago');
      return Response.json(await read());
    },
  });
  return async (header, token) => {
    const { kid } = header;
    if (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KEY_ID) {
      throw refusal('malformed', 'the token names no key (kid)');
    }
    try {
      return await keys(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey) {
        throw refusal('unknown-key', 'the token is signed by an unknown key');
      }
      if (cause instanceof errors.JWKSMultipleMatchingKeys) {
        throw refusal('unknown-key', 'the key that the token names is not the only one of its name');
      }
      if (!(cause instanceof TooSoon)) failedAt = clock.now();
      throw new TokenRefusal('keys-unavailable', 'the keys of tokens cannot be had now; try again later', { cause });
    }
  };
}

/** How many keys of ES256 a source has now that a token can name. @throws if the source cannot be read, or holds no set */
export async function usableKeys(source: KeySource): Promise<number> {
  const set = (await readFrom(source)) as { readonly keys?: unknown } | null;
  if (!Array.isArray(set?.keys)) throw new Error('this is no set of keys (JWKS)');
  return (await Promise.all(set.keys.map(isUsable))).filter(Boolean).length;
}

async function isUsable(key: JWK | null): Promise<boolean> {
  const { kid, kty, crv, use = 'sig', alg = 'ES256' } = key ?? {};
  if (!key || !kid || kty !== 'EC' || crv !== 'P-256' || use !== 'sig' || alg !== 'ES256') return false;
  return importJWK(key, 'ES256').then(
    () => true,
    () => false,
  );
}

class TooSoon extends Error {}

function refusal(fault: TokenFault, message: string): TokenRefusal {
  return new TokenRefusal(fault, message);
}

function readFrom(source: KeySource): Promise<unknown> {
  return 'url' in source ? fetchSet(source.url) : readSet(source.file);
}

/** Redirects are not followed: only what was configured is asked. */
async function fetchSet(url: string): Promise<unknown> {
  const { origin, pathname, search } = new URL(url);
  const transport = new HttpTransport({ url: origin, connectTimeout: PATIENCE_MS, answerTimeout: PATIENCE_MS });
  const headers = { accept: 'application/jwk-set+json, application/json' };
  try {
    const request = { method: 'GET', path: pathname + search, headers } as const;
    return await smallJson((asked) => transport.send(asked), {
      ...request,
      timeout: PATIENCE_MS,
      maxBytes: LARGEST_SET,
    });
  } finally {
    await transport.destroy();
  }
}

async function readSet(file: string): Promise<unknown> {
  return parseJsonText(await readFile(file, 'utf8'));
}
