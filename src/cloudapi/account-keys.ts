/**
 * The SSH keys of accounts. Finding one takes the same time however many keys an account has, and even if there is no
 * such account: keys are indexed when the directory is read. Each key is parsed once, however many requests it signs.
 */
import type Logger from 'bunyan';
import { LRUCache } from 'lru-cache';
import type { Account } from '#lib/accounts/accounts.ts';
import { fingerprintsOfLine, type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';

export interface NamedKey {
  readonly name: string;
  readonly publicKey: PublicKey;
}

export interface AccountKeys {
  /** To be called with every account that the directory has. */
  index(account: Account): void;
  /** The keys that KEY of a `keyId` means: by fingerprint (MD5 or SHA-256) or by the name of the key. */
  named(account: Account | undefined, key: string): readonly PublicKey[];
  /** All usable keys; operators find the others in the log. */
  all(account: Account): readonly NamedKey[];
}

/** The names of an account's keys, by everything that KEY of a `keyId` may be. */
type Index = ReadonlyMap<string, readonly string[]>;

const MOST_KEYS = 10_000;
const NO_KEYS: Index = new Map();

/** Only the meaning of a key's text is cached: which keys count is decided by the account as it is now. */
export function accountKeys(log: Logger): AccountKeys {
  const parsed = new LRUCache<string, { readonly key: PublicKey | undefined }>({ max: MOST_KEYS });
  const indexes = new WeakMap<Account, Index>();

  function parse(account: Account, name: string): PublicKey | undefined {
    const text = account.keys[name] ?? '';
    const known = parsed.get(text);
    if (known) return known.key;
    let key: PublicKey | undefined;
    try {
      key = parsePublicKey(text, `key "${name}"`);
    } catch (error) {
      log.warn({ err: error, account: account.uuid, key: name }, 'an unusable key was skipped');
    }
    parsed.set(text, { key });
    return key;
  }

  function indexOf(account: Account): Index {
    const index = indexes.get(account) ?? makeIndex(account);
    indexes.set(account, index);
    return index;
  }

  return {
    index(account) {
      indexOf(account);
    },
    named(account, key) {
      const index = account ? indexOf(account) : NO_KEYS;
      const names = new Set(titlesOf(key).flatMap((title) => index.get(title) ?? []));
      return [...names].flatMap((name) => (account && parse(account, name)) ?? []);
    },
    all(account) {
      return Object.keys(account.keys).flatMap((name) => {
        const publicKey = parse(account, name);
        return publicKey ? [{ name, publicKey }] : [];
      });
    },
  };
}

function makeIndex({ keys }: Account): Index {
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
  return [`md5 ${key.replace(/^MD5:/i, '').toLowerCase()}`, `sha256 ${key.replace(/=+$/, '')}`, `name ${key}`];
}
