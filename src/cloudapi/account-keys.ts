/**
 * The SSH keys of accounts. Finding one takes the same time however many keys an account has, and even if there is no
 * such account: keys are indexed when the directory is read. Each key is parsed once, however many requests it signs.
 */
import type Logger from 'bunyan';
import { LRUCache } from 'lru-cache';
import type { Keys } from '#lib/accounts/accounts.ts';
import { fingerprintsOfLine, type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import { withoutEnd } from '#lib/text/without-end.ts';

export interface NamedKey {
  readonly name: string;
  readonly publicKey: PublicKey;
}

export interface AccountKeys {
  /** Makes the index of an account's keys ahead of its first request. */
  index(keys: Keys): void;
  /**
   * The keys that KEY of a `keyId` means: by fingerprint (MD5 or SHA-256) or by the name of the key.
   * @param account whose they are, for the log
   */
  named(keys: Keys, key: string, account?: string): readonly PublicKey[];
  /** All usable keys; operators find the others in the log. */
  all(keys: Keys, account: string): readonly NamedKey[];
}

/** The names of an account's keys, by everything that KEY of a `keyId` may be. */
type Index = ReadonlyMap<string, readonly string[]>;

const MOST_KEYS = 10_000;

/** Only the meaning of a key's text is cached: which keys count is decided by the account as it is now. */
export function accountKeys(log: Logger): AccountKeys {
  const parsed = new LRUCache<string, { readonly key: PublicKey | undefined }>({ max: MOST_KEYS });
  const indexes = new WeakMap<Keys, Index>();

  function parse(keys: Keys, name: string, account: string | undefined): PublicKey | undefined {
    const text = keys[name] ?? '';
    const known = parsed.get(text);
    if (known) return known.key;
    let key: PublicKey | undefined;
    try {
      key = parsePublicKey(text, `key "${name}"`);
    } catch (error) {
      log.warn({ err: error, account, key: name }, 'an unusable key was skipped');
    }
    parsed.set(text, { key });
    return key;
  }

  function indexOf(keys: Keys): Index {
    const index = indexes.get(keys) ?? makeIndex(keys);
    indexes.set(keys, index);
    return index;
  }

  return {
    index(keys) {
      indexOf(keys);
    },
    named(keys, key, account) {
      const index = indexOf(keys);
      const names = new Set(titlesOf(key).flatMap((title) => index.get(title) ?? []));
      return [...names].flatMap((name) => parse(keys, name, account) ?? []);
    },
    all(keys, account) {
      return Object.keys(keys).flatMap((name) => {
        const publicKey = parse(keys, name, account);
        return publicKey ? [{ name, publicKey }] : [];
      });
    },
  };
}

function makeIndex(keys: Keys): Index {
  const index = new Map<string, string[]>();
  for (const [name, text] of Object.entries(keys)) {
    const { md5, sha256 } = fingerprintsOfLine(text) ?? {};
    const titles = [`name ${name}`, ...(md5 === undefined ? [] : [`md5 ${md5}`, `sha256 ${sha256}`])];
    for (const title of titles) index.set(title, [...(index.get(title) ?? []), name]);
  }
  return index;
}

/** Everything that KEY of a `keyId` may mean. */
function titlesOf(key: string): string[] {
  return [`md5 ${key.replace(/^MD5:/i, '').toLowerCase()}`, `sha256 ${withoutEnd(key, '=')}`, `name ${key}`];
}
