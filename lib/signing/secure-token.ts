/**
 * Tokens of keyapi (its package `sdc-securetoken`): what one service tells another by way of a client that can neither
 * read nor change it. JSON is packed with gzip, encrypted with AES-128 and signed with HMAC-SHA256 by a key that both have.
 */
import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

const unpack = promisify(gunzip);

/** The keys of the directory's `ou=keyapiprivkeys`: hex by UUID. */
export type TokenKeys = Readonly<Record<string, string>>;

/** Says what is wrong with a token, for the log alone. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

const VERSION = '0.1.0';
const MOST_BYTES = 256 * 1024;
const BLOCK = 16;

interface Sealed {
  readonly keyid: string;
  readonly data: string;
  readonly hash: string;
}

/** What the token says. @param text JSON @throws TokenError */
export async function openToken(text: string, keys: TokenKeys): Promise<unknown> {
  const { keyid, data, hash } = sealed(parsed(parsed(text)));
  const hex = Object.hasOwn(keys, keyid) ? keys[keyid] : undefined;
  if (hex === undefined) throw new TokenError('no key has the UUID that the token names');
  const key = formsOf(hex).find((form) => isHash(hash, form, data));
  if (!key) throw new TokenError('the token was not made with the key that it names, or was changed');
  return contentOf(data, key);
}

function sealed(token: unknown): Sealed {
  const { keyid, data, hash, version } = (token ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof keyid !== 'string' || typeof data !== 'string' || typeof hash !== 'string') {
    throw new TokenError('it is not a token');
  }
  if (version !== VERSION) throw new TokenError('the token is of another version');
  return { keyid, data, hash };
}

/** Keys are kept as a text of bytes. From version 6 on node encodes such a text as UTF-8 before it is used. */
function formsOf(hex: string): readonly Buffer[] {
  const bytes = Buffer.from(hex, 'hex');
  return [bytes, Buffer.from(bytes.toString('latin1'), 'utf8')];
}

function isHash(hash: string, key: Buffer, data: string): boolean {
  const given = Buffer.from(hash, 'base64');
  const right = createHmac('sha256', key).update(data).digest();
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Only ever called for what a holder of the key has made. */
async function contentOf(data: string, password: Buffer): Promise<unknown> {
  try {
    const { key, iv } = derived(password);
    const decipher = createDecipheriv('aes-128-cbc', key, iv);
    const plain = Buffer.concat([decipher.update(data, 'base64'), decipher.final()]).toString('latin1');
    const { data: packed } = JSON.parse(plain) as { readonly data: string };
    const text = await unpack(Buffer.from(packed, 'latin1'), { maxOutputLength: MOST_BYTES });
    return parsed(parsed(text.toString('utf8')));
  } catch (cause) {
    throw new TokenError('what the token holds cannot be read', { cause });
  }
}

/** As OpenSSL's EVP_BytesToKey makes them with MD5, without salt: the way of `crypto.createCipher`, which node has no more. */
function derived(password: Buffer): { readonly key: Buffer; readonly iv: Buffer } {
  const key = createHash('md5').update(password).digest();
  const iv = createHash('md5').update(key).update(password).digest();
  return { key: key.subarray(0, BLOCK), iv: iv.subarray(0, BLOCK) };
}

/** Of JSON that may have been written as JSON again, as older services did. */
function parsed(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given);
  } catch (cause) {
    throw new TokenError('it is not JSON', { cause });
  }
}
