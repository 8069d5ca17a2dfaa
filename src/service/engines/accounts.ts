/** The directory of accounts that the configuration names, with a cache before it. Only what it needs is loaded. */
import { type CachedAccounts, cacheAccounts } from '#lib/accounts/cache.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { ufdsOptionsOf } from '../config/ufds.ts';
import type { Opening } from './opening.ts';

export interface AccountsOpening extends Opening {
  readonly clock: Clock;
  /** Is told of every look-up whether it was answered from memory. */
  readonly onLookUp: ((answer: 'hit' | 'miss') => void) | undefined;
}

/** Waits for no directory. */
export async function openAccounts(opening: AccountsOpening): Promise<CachedAccounts> {
  const { config, clock, onLookUp } = opening;
  const { cacheSeconds, negativeCacheSeconds } = config.accounts;
  return cacheAccounts(await openDirectory(opening), {
    ttl: cacheSeconds * 1000,
    negativeTtl: negativeCacheSeconds * 1000,
    clock,
    ...(onLookUp && { onLookUp }),
  });
}

async function openDirectory({ config, log, clock, observe }: AccountsOpening) {
  const { ufds, accounts } = config;
  if (!ufds) {
    const { openAccountsFile } = await import('#lib/accounts/file/accounts-file.ts');
    const { observeAccounts } = await import('#lib/accounts/observed.ts');
    return observeAccounts(await openAccountsFile({ path: accounts.file, log, clock }), observe?.('file'));
  }
  const { openUfds } = await import('#lib/accounts/ufds/open.ts');
  return openUfds({ ...(await ufdsOptionsOf(ufds)), log, ...(observe && { observer: observe('ufds') }) });
}
