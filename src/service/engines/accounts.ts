/** The directory of accounts that the configuration names, with a cache before it. */
import type { Accounts } from '#lib/accounts/accounts.ts';
import { cacheAccounts } from '#lib/accounts/cache.ts';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import type { Opening } from './opening.ts';

export interface AccountsOpening extends Pick<Opening, 'config' | 'log'> {
  readonly clock: Clock;
}

export async function openAccounts({ config, log, clock }: AccountsOpening): Promise<Accounts> {
  const { file, cacheSeconds } = config.accounts;
  return cacheAccounts(await openAccountsFile({ path: file, log, clock }), { ttl: cacheSeconds * 1000, clock });
}
