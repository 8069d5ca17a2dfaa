/** Verifies a signature with the keys that its `keyId` names, wherever it was found in a request. */
import { verify } from 'node:crypto';
import { type Algorithm, partsOf, toAlgorithm } from './algorithms.ts';
import { decoyFor, mayHaveSigned, type VerifyingKey } from './decoys.ts';
import { SignatureError } from './errors.ts';
import type { PublicKey } from './keys.ts';

export interface Signature {
  readonly keyId: string;
  /** As sent. */
  readonly algorithm: string;
  /** What may have been signed. */
  readonly texts: readonly string[];
  readonly signature: Buffer;
}

export interface VerifySignatureOptions {
  /** The current public keys of that name, tried in turn; none if the name is unknown. */
  readonly keysOf: (keyId: string) => readonly PublicKey[] | Promise<readonly PublicKey[]>;
  readonly algorithms: readonly Algorithm[];
  /** Number of verifications that every refusal takes: the largest number of keys that one name has. Default 1. */
  readonly verifications?: number;
}

/** @throws SignatureError `unsupported-algorithm`, `unknown-key`, `bad-signature` */
export async function verifySignature(
  given: Signature,
  { keysOf, algorithms, verifications = 1 }: VerifySignatureOptions,
): Promise<{ readonly key: PublicKey; readonly algorithm: Algorithm }> {
  const { keyId, signature } = given;
  const algorithm = allowedAlgorithm(given, algorithms);
  const texts = given.texts.map((text) => Buffer.from(text));
  const keys = await keysOf(keyId);
  const key = verifyingKey(keys, algorithm, texts, signature, verifications);
  if (keys.length === 0) throw new SignatureError('unknown-key', `key "${keyId}" is unknown`, { keyId });
  if (key === undefined) {
    throw new SignatureError('bad-signature', `the signature does not verify with key "${keyId}"`, { keyId });
  }
  return { key, algorithm };
}

function allowedAlgorithm(params: Pick<Signature, 'algorithm' | 'keyId'>, allowed: readonly Algorithm[]): Algorithm {
  const algorithm = toAlgorithm(params.algorithm);
  if (algorithm !== undefined && allowed.includes(algorithm)) return algorithm;
  throw new SignatureError(
    'unsupported-algorithm',
    `algorithm "${params.algorithm}" is not accepted; use one of ${allowed.join(', ')}`,
    { keyId: params.keyId },
  );
}

/** If no key verifies, decoys take as many verifications as existing keys would. */
function verifyingKey(
  keys: readonly PublicKey[],
  algorithm: Algorithm,
  texts: readonly Buffer[],
  signature: Buffer,
  verifications: number,
): PublicKey | undefined {
  const { keyType, hash } = partsOf(algorithm);
  const possible = keys.filter((key) => key.type === keyType && mayHaveSigned(key, signature));
  const found = possible.find((key) => texts.some((text) => verifies(key, hash, text, signature)));
  const decoy = found ? undefined : decoyFor(keyType, signature);
  for (let done = possible.length; decoy && done < verifications; done++) {
    for (const text of texts) verifies(decoy, hash, text, signature);
  }
  return found;
}

function verifies(key: VerifyingKey, hash: string | null, text: Buffer, signature: Buffer): boolean {
  try {
    return verify(hash, text, key.keyObject, signature);
  } catch {
    // Thrown for a signature with a broken encoding, which does not verify.
    return false;
  }
}
