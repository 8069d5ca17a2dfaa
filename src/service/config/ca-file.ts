/** A file of authorities that the configuration names in a key `caFile`. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError } from './config-error.ts';

const CERTIFICATE = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----.*?-----END \1-----/gs;

/**
 * The PEM text of the authorities that a key of the configuration names. TLS would pass over what is none, and then say of the
 * server that its certificate is signed by nobody who is known.
 * @throws ConfigError that names the key
 */
export async function readCaFile(key: string, path: string): Promise<string> {
  const refused = (why: string, cause?: unknown) =>
    new ConfigError('configuration', [`${key}: ${path} ${why}`], { cause });
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw refused(`cannot be read: ${error.message}`, error);
  });
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw refused('has no certificate in it; it must be PEM, with BEGIN CERTIFICATE');
  for (const [index, certificate] of certificates.entries()) {
    try {
      new X509Certificate(certificate);
    } catch (error) {
      throw refused(`cannot be used: certificate ${index + 1} in it is damaged`, error);
    }
  }
  return text;
}
