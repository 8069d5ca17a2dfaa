/** The SSH keys of accounts, parsed: each text once, however many requests it signs. */
import type Logger from 'bunyan';
import { type PublicKey, parsePublicKey } from '#lib/signing/keys.ts';
import type { Account } from '#lib/ufds/accounts.ts';

export interface NamedKey {
  readonly name: string;
  readonly publicKey: PublicKey;
}

/** Without those that cannot be used; an operator finds them in the log. */
export type KeysOf = (account: Account) => readonly NamedKey[];

const MOST_KEYS = 10_000;

/** Whether a key counts is decided by the account as it is now: what is remembered is only what its text means. */
export function accountKeys(log: Logger): KeysOf {
  const parsed = new Map<string, PublicKey | undefined>();

  function parse(account: Account, name: string, text: string): PublicKey | undefined {
    if (parsed.has(text)) return parsed.get(text);
    let key: PublicKey | undefined;
    try {
      key = parsePublicKey(text, `key "${name}"`);
    } catch (error) {
      log.warn({ err: error, account: account.uuid, key: name }, 'a key is unusable and skipped');
    }
    const [oldest] = parsed.keys();
    if (parsed.size >= MOST_KEYS && oldest !== undefined) parsed.delete(oldest);
    parsed.set(text, key);
    return key;
  }

  return (account) =>
    Object.entries(account.keys).flatMap(([name, text]) => {
      const publicKey = parse(account, name, text);
      return publicKey ? [{ name, publicKey }] : [];
    });
}
