/** An issuer of bearer tokens: makes good ones and any other, and serves its public keys over HTTP. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';

export const ISSUER = 'https://login.example.com';
export const AUDIENCE = 'imgapi.us-sw-1';

export type Claims = Readonly<Record<string, unknown>>;

export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As in the set. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

export function issuerKey(kid: string, curve = 'P-256'): IssuerKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' };
  return { kid, privateKey, publicKey, jwk };
}

const seconds = (): number => Math.floor(Date.now() / 1000);

export function goodClaims(more: Claims = {}): Claims {
  const now = seconds();
  return { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 600, ...more };
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** @param header what is in it besides `alg` and `kid`, or in their place */
export function makeToken(key: IssuerKey, claims: Claims, header: Claims = {}): string {
  const text = `${encoded({ alg: 'ES256', kid: key.kid, ...header })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(text), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/** What somebody makes who knows only the public key: a MAC with it as the secret. */
export function macToken(secret: string | Buffer, claims: Claims, header: Claims): string {
  const text = `${encoded({ alg: 'HS256', ...header })}.${encoded(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export function unsignedToken(claims: Claims, header: Claims): string {
  return `${encoded({ alg: 'none', ...header })}.${encoded(claims)}.`;
}

export interface KeyServer {
  readonly url: string;
  /** How often it was asked. */
  readonly asked: () => number;
  /** Has it answer in this way from now on. */
  answer(listener: RequestListener): void;
  serve(keys: readonly IssuerKey[]): void;
}

export async function keyServer(t: Test, keys: readonly IssuerKey[]): Promise<KeyServer> {
  let count = 0;
  let listener: RequestListener = () => undefined;
  const server = createServer((request, response) => {
    count++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const serve = (served: readonly IssuerKey[]): void => {
    listener = (_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ keys: served.map(({ jwk }) => jwk) }));
    };
  };
  serve(keys);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`,
    asked: () => count,
    answer: (given) => {
      listener = given;
    },
    serve,
  };
}
