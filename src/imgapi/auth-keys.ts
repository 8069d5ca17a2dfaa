/**
 * Who may write when `authType` is `signature`: users by name, each with SSH public keys. They come from the config's
 * `authKeys` and from `<dataDir>/authkeys/NAME.keys` files (one OpenSSH key a line, `#` comments).
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Logger from 'bunyan';
import { type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import { withoutMark } from '#lib/text/json.ts';
import type { Config } from '../service/config/config.ts';

export interface AuthKeys {
  /** Empty for an unknown user. */
  keysOf(user: string): readonly PublicKey[];
  /** The largest number of keys that any user has. */
  mostKeys(): number;
  /** Reads everything again. Keys that cannot be parsed are skipped and logged. */
  reload(): Promise<void>;
}

export async function openAuthKeys(config: Config, log: Logger): Promise<AuthKeys> {
  let users = new Map<string, PublicKey[]>();

  async function reload(): Promise<void> {
    const loaded = new Map<string, PublicKey[]>();
    const add = (user: string, text: string): void => {
      try {
        loaded.set(user, [...(loaded.get(user) ?? []), parsePublicKey(text, `key of ${user}`)]);
      } catch (error) {
        log.warn({ err: error, user }, 'a public key is unusable and was skipped');
      }
    };
    for (const [user, keys] of Object.entries(config.authKeys)) for (const key of keys) add(user, key);
    for (const { user, lines } of await keyFiles(join(config.dataDir, 'authkeys'))) {
      for (const line of lines) add(user, line);
    }
    users = loaded;
  }

  await reload();
  return {
    keysOf: (user) => users.get(user) ?? [],
    mostKeys: () => Math.max(1, ...[...users.values()].map((keys) => keys.length)),
    reload,
  };
}

async function keyFiles(directory: string): Promise<{ user: string; lines: string[] }[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith('.keys')).sort();
  return Promise.all(
    files.map(async (name) => {
      const text = withoutMark(await readFile(join(directory, name), 'utf8'));
      const lines = text.split('\n').map((line) => line.trim());
      return { user: name.slice(0, -'.keys'.length), lines: lines.filter((line) => line && !line.startsWith('#')) };
    }),
  );
}
