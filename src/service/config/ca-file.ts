import { readFile } from 'node:fs/promises';
import { ConfigError } from './config-error.ts';

/** The PEM text of the authorities that a key of the configuration names. @throws ConfigError that names the key */
export async function readCaFile(key: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ConfigError('configuration', [`${key}: ${path} cannot be read: ${(error as Error).message}`]);
  }
}
