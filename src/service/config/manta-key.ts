/** The file of the private key with which Manta is asked. */
import { loadPrivateKey, type PrivateKey } from '#lib/signing/keys.ts';
import { ConfigError } from './config-error.ts';
import { isKeyId, type MantaConfig } from './manta.ts';

/** @throws ConfigError that names the key of the configuration */
export async function readMantaKey({ key: path, keyId }: Pick<MantaConfig, 'key' | 'keyId'>): Promise<PrivateKey> {
  const key = await loadPrivateKey(path).catch((cause: Error) => {
    throw new ConfigError('configuration', [`manta.key: ${cause.message}`], { cause });
  });
  const { fingerprints } = key.publicKey;
  if (isKeyId(keyId, fingerprints)) return key;
  const is = `that of ${path} is ${fingerprints.md5}`;
  throw new ConfigError('configuration', [`manta.keyId: ${keyId} is the fingerprint of another key; ${is}`]);
}
