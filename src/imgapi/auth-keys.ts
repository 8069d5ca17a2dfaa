/**
 * Who may write when `authType` is `signature`: users by name, each with SSH public keys. They come from the config's
 * `authKeys` and from `<dataDir>/authkeys/NAME.keys` files (one OpenSSH key a line, `#` comments). Where a standalone IMGAPI
 * ran before, the files that it kept in `etc/authkeys` count as well, and those that operators keep in Manta are mirrored
 * there, every hour and when they are to be read again.
 *
 * A request to read them again reaches one process. It leaves a mark in the store, at which the others see before their
 * next signed request that they have to do the same.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bucket, Store } from '#lib/documents/store.ts';
import { startInterval } from '#lib/runtime/timers.ts';
import { within } from '#lib/runtime/within.ts';
import { type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import { withoutMark } from '#lib/text/json.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { Config } from '../service/config/config.ts';
import { refusal } from '../service/data-folder.ts';
import type { Service } from '../service/service.ts';
import { mirrorKeys } from './mirror-keys.ts';

/** The last request to read the keys again, by a name that no other has. */
interface Reload {
  readonly id: string;
}

export const AUTH_RELOADS: Bucket<Reload> = { name: 'imgapi_auth_reloads', version: 1, index: {} };
const LAST = 'authkeys';
/** In the data folder. */
const MIRROR = 'etc/authkeys/manta';
const FOLDERS = ['authkeys', 'etc/authkeys/local', MIRROR];
const MIRRORED_STORE = 'manta';
const MIRROR_EVERY_MS = 3_600_000;
/** How long a request waits for the mirror. */
const PATIENCE_MS = 10_000;

export interface AuthKeys {
  /** Empty for an unknown user. */
  keysOf(user: string): readonly PublicKey[];
  /** The largest number of keys that any user has. */
  mostKeys(): number;
  /** Reads everything again, and has all other processes do so. Keys that cannot be parsed are skipped and logged. */
  reload(): Promise<void>;
  /** Takes other keys of the configuration, and reads the files again. Of this process alone. */
  configure(configured: Config['authKeys']): Promise<void>;
  /** Reads everything again if another process was asked to. To be awaited before keys are looked at. */
  refresh(): Promise<void>;
  close(): void;
}

export async function openAuthKeys({
  config,
  store,
  storages,
  log,
}: Pick<Service, 'config' | 'store' | 'storages' | 'log'>): Promise<AuthKeys> {
  let users = new Map<string, PublicKey[]>();
  let configured = config.authKeys;
  let seen = (await store.get(AUTH_RELOADS, LAST))?.value.id;

  async function read(): Promise<void> {
    const loaded = new Map<string, PublicKey[]>();
    const add = (user: string, text: string): void => {
      try {
        loaded.set(user, [...(loaded.get(user) ?? []), parsePublicKey(text, `key of ${user}`)]);
      } catch (error) {
        log.warn({ err: error, user }, 'a public key is unusable and was skipped');
      }
    };
    for (const [user, keys] of Object.entries(configured)) for (const key of keys) add(user, key);
    for (const folder of FOLDERS) {
      for (const { user, lines } of await keyFiles(join(config.dataDir, folder))) {
        for (const line of lines) add(user, line);
      }
    }
    users = loaded;
  }

  async function refresh(): Promise<void> {
    const last = (await store.get(AUTH_RELOADS, LAST))?.value.id;
    if (last === seen) return;
    await within(PATIENCE_MS, mirror(), () => undefined);
    await read();
    seen = last;
  }

  const mirrored = config.authType === 'signature' ? storages.find(MIRRORED_STORE) : undefined;

  async function mirror(): Promise<void> {
    if (!mirrored) return;
    try {
      if (await mirrorKeys(mirrored, join(config.dataDir, MIRROR))) await read();
    } catch (error) {
      log.warn({ err: error }, 'the keys in Manta cannot be read; those that were there before count');
    }
  }

  await read();
  // The start does not wait for Manta.
  void mirror();
  const timer = mirrored && startInterval(() => void mirror(), MIRROR_EVERY_MS).unref();
  return {
    close: () => timer?.stop(),
    keysOf: (user) => users.get(user) ?? [],
    mostKeys: () => Math.max(1, ...[...users.values()].map((keys) => keys.length)),
    async configure(given) {
      configured = given;
      await read();
    },
    async reload() {
      await askForReload(store);
      await refresh();
    },
    refresh: () =>
      // While the store is down the keys that are known count.
      refresh().catch((error: unknown) => log.debug({ err: error }, 'cannot tell whether there are other keys')),
  };
}

/** Has all processes read the keys again before their next signed request. */
export async function askForReload(store: Store): Promise<void> {
  await store.batch([{ op: 'put', bucket: AUTH_RELOADS, key: LAST, value: { id: newUuid() } }]);
}

async function keyFiles(directory: string): Promise<{ user: string; lines: string[] }[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    return refusal(`${directory} cannot be read`)(error);
  });
  const files = names.filter((name) => name.endsWith('.keys')).sort();
  return Promise.all(
    files.map(async (name) => {
      const path = join(directory, name);
      const text = withoutMark(await readFile(path, 'utf8').catch(refusal(`${path} cannot be read`)));
      const lines = text.split('\n').map((line) => line.trim());
      return { user: name.slice(0, -'.keys'.length), lines: lines.filter((line) => line && !line.startsWith('#')) };
    }),
  );
}
