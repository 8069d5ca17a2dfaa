/** The other ways to sign a request to CloudAPI: the older form of the header, and parameters of the URL. */
import { sign } from 'node:crypto';
import { defaultAlgorithm } from '#lib/signing/sign-request.ts';
import { type Ask, keyOf, type Person } from './cloudapi.ts';

type Signing = Pick<Ask, 'key' | 'keyId' | 'date'> & { readonly as: Person; readonly algorithm?: string };

function keyIdOf({ as, key = keyOf(as), keyId }: Signing): string {
  return keyId ?? `/${as.login}/keys/${key.key.publicKey.fingerprints.md5}`;
}

function signatureOf(text: string, { as, key = keyOf(as) }: Signing, algorithm: string): string {
  const [, hash = ''] = algorithm.toLowerCase().split('-');
  const how = algorithm.toLowerCase().startsWith('ed25519') ? null : hash;
  return sign(how, Buffer.from(text), key.key.keyObject).toString('base64');
}

function algorithmOf({ as, key = keyOf(as), algorithm = defaultAlgorithm(key.key) }: Signing): string {
  return algorithm;
}

/** `Signature keyId="…",algorithm="…" BASE64` over the bare date. */
export function olderHeaders(signing: Signing): Record<string, string> {
  const date = (signing.date ?? new Date()).toUTCString();
  const algorithm = algorithmOf(signing);
  const signature = signatureOf(date, signing, algorithm);
  return { date, authorization: `Signature keyId="${keyIdOf(signing)}",algorithm="${algorithm}" ${signature}` };
}

export interface Presigning {
  /** Host and port as the client sends them. */
  readonly host: string;
  /** Seconds since 1970; default: in a minute. */
  readonly expires?: number;
  readonly method?: string;
}

/** The path with parameters that sign it. */
export function presigned(path: string, signing: Signing, { host, expires, method = 'GET' }: Presigning): string {
  const url = new URL(path, 'http://host');
  const { searchParams: query } = url;
  query.set('algorithm', algorithmOf(signing).toUpperCase());
  query.set('expires', String(expires ?? Math.floor(Date.now() / 1000) + 60));
  query.set('keyId', keyIdOf(signing));
  const encoded = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
  const pairs = [...query].toSorted(([one], [other]) => one.localeCompare(other));
  const text = `${method}\n${host}\n${url.pathname}\n${pairs.map((pair) => pair.map(encoded).join('=')).join('&')}`;
  query.set('signature', signatureOf(text, signing, algorithmOf(signing)));
  return `${url.pathname}${url.search}`;
}
