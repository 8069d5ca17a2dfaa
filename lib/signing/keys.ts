/**
 * Keys in the forms that Triton uses: OpenSSH or PEM text outside, node:crypto key objects inside. A key is parsed once
 * and used for many requests.
 */
import { createHash, createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import sshpk from 'sshpk';
import { withoutEnd } from '../text/without-end.ts';
import { KEY_TYPES, type KeyType } from './algorithms.ts';
import { KeyError } from './errors.ts';

const generate = promisify(generateKeyPair);

const ED25519_BYTES = 32;

export interface Fingerprints {
  /** `aa:bb:…`, as Triton and Manta name keys. */
  readonly md5: string;
  /** `SHA256:…`, as OpenSSH shows keys. */
  readonly sha256: string;
}

export interface PublicKey {
  readonly type: KeyType;
  /** Bits; identifies the curve of an ECDSA key. */
  readonly size: number;
  readonly fingerprints: Fingerprints;
  /** One line, `TYPE BASE64 COMMENT`. */
  readonly openssh: string;
  readonly keyObject: KeyObject;
}

export interface PrivateKey {
  readonly publicKey: PublicKey;
  readonly keyObject: KeyObject;
}

/** A new key pair as text, to be stored. */
export interface KeyPairText {
  /** OpenSSH private key. */
  readonly privateOpenssh: string;
  /** PKCS#8 PEM, the form that every other tool reads. */
  readonly privatePem: string;
  /** One line. */
  readonly publicOpenssh: string;
  readonly fingerprints: Fingerprints;
}

/**
 * Accepts OpenSSH, PEM and RFC 4716 forms.
 * @param name what the key is called in the error
 * @throws KeyError
 */
export function parsePublicKey(text: string, name = 'public key'): PublicKey {
  try {
    return toPublicKey(sshpk.parseKey(text.trim(), 'auto'));
  } catch (cause) {
    throw new KeyError(`${name} is not a usable public key`, { cause });
  }
}

/**
 * Accepts OpenSSH and PEM (PKCS#1, PKCS#8, SEC1) forms.
 * @param options.name what the key is called in the error
 * @throws KeyError
 */
export function parsePrivateKey(text: string, options: { name?: string; passphrase?: string } = {}): PrivateKey {
  const name = options.name ?? 'private key';
  try {
    const parsed = sshpk.parsePrivateKey(text, 'auto', {
      filename: name,
      ...(options.passphrase !== undefined && { passphrase: options.passphrase }),
    });
    return {
      publicKey: toPublicKey(parsed.toPublic()),
      keyObject: toPrivateKeyObject(parsed),
    };
  } catch (cause) {
    const encrypted = cause instanceof Error && cause.name === 'KeyEncryptedError';
    throw new KeyError(
      encrypted ? `${name} is encrypted and needs its passphrase` : `${name} is not a usable private key`,
      { cause },
    );
  }
}

/** @throws KeyError naming the file */
export async function loadPrivateKey(path: string, passphrase?: string): Promise<PrivateKey> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new KeyError(`private key ${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parsePrivateKey(text, { name: `private key ${path}`, ...(passphrase !== undefined && { passphrase }) });
}

/** A new key; Ed25519 unless an older peer needs ECDSA (P-256). */
export async function generateKeys(options: { type?: 'ed25519' | 'ecdsa'; comment: string }): Promise<KeyPairText> {
  const { privateKey } =
    options.type === 'ecdsa' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('ed25519');
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const parsed = sshpk.parsePrivateKey(privatePem, 'pem');
  parsed.comment = options.comment;
  const publicKey = parsed.toPublic();
  publicKey.comment = options.comment;
  return {
    privateOpenssh: parsed.toString('openssh'),
    privatePem,
    publicOpenssh: publicKey.toString('ssh'),
    fingerprints: fingerprintsOf(publicKey),
  };
}

/** sshpk drops leading zeros of an Ed25519 seed and then writes an invalid key; one key in 256 is affected. */
function toPrivateKeyObject(key: sshpk.PrivateKey): KeyObject {
  if (key.type !== 'ed25519') return createPrivateKey(key.toString('pkcs8'));
  const { x } = createPublicKey(key.toPublic().toString('pkcs8')).export({ format: 'jwk' });
  const seed = Buffer.alloc(ED25519_BYTES);
  const data = key.parts.find(({ name }) => name === 'k')?.data ?? Buffer.alloc(0);
  data.copy(seed, ED25519_BYTES - data.length);
  return createPrivateKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: x ?? '', d: seed.toString('base64url') },
    format: 'jwk',
  });
}

function toPublicKey(key: sshpk.Key): PublicKey {
  const type = KEY_TYPES.find((known) => known === key.type);
  if (type === undefined) throw new KeyError(`keys of type ${key.type} cannot sign`);
  return {
    type,
    size: key.size,
    fingerprints: fingerprintsOf(key),
    openssh: key.toString('ssh'),
    keyObject: createPublicKey(key.toString('pkcs8')),
  };
}

/** Fingerprints of an OpenSSH line without parsing its key, for use on many keys. Undefined for any other text. */
export function fingerprintsOfLine(openssh: string): Fingerprints | undefined {
  const [, base64] = /^[a-z0-9@.-]+ ([A-Za-z0-9+/]+={0,2})(?: |$)/.exec(openssh.trim()) ?? [];
  if (base64 === undefined) return undefined;
  const blob = Buffer.from(base64, 'base64');
  const md5 = createHash('md5').update(blob).digest('hex');
  const sha256 = withoutEnd(createHash('sha256').update(blob).digest('base64'), '=');
  return { md5: md5.replace(/(..)(?=.)/g, '$1:'), sha256: `SHA256:${sha256}` };
}

function fingerprintsOf(key: sshpk.Key): Fingerprints {
  return { md5: key.fingerprint('md5').toString('hex'), sha256: key.fingerprint('sha256').toString() };
}
