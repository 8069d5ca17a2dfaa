/** The accounts that CloudAPI's configuration names. */
import type Logger from 'bunyan';
import type { Accounts } from '#lib/accounts/accounts.ts';
import { cacheAccounts } from '#lib/accounts/cache.ts';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { ufdsOptionsOf } from '../service/config/ufds.ts';
import type { AccountKeys } from './account-keys.ts';
import type { CloudapiConfig } from './config.ts';

export interface AccountsOpening {
  readonly config: Pick<CloudapiConfig, 'accounts' | 'accountsSource'>;
  readonly keys: AccountKeys;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A directory would be asked several times for each request, so that what it says is remembered for a while. */
export async function openAccounts({ config, keys, log, clock }: AccountsOpening): Promise<Accounts> {
  const { accounts, accountsSource: source } = config;
  if ('file' in source) {
    return openAccountsFile({ path: source.file, log, clock, prepare: (theirs) => keys.index(theirs) });
  }
  const { openUfds } = await import('#lib/accounts/ufds/open.ts');
  return cacheAccounts(openUfds({ ...(await ufdsOptionsOf(source.ufds)), log }), {
    ttl: accounts.cacheSeconds * 1000,
    negativeTtl: accounts.negativeCacheSeconds * 1000,
    remembersAll: true,
    clock,
  });
}
