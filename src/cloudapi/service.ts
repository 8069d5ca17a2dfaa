/** What the parts of the process share: created once at start, never changed. */
import type Logger from 'bunyan';
import type { Account, Accounts } from '#lib/accounts/accounts.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { AccountKeys } from './account-keys.ts';
import type { CloudapiConfig } from './config.ts';

export interface Cloudapi {
  readonly config: CloudapiConfig;
  readonly imgapi: ImgapiClient;
  readonly accounts: Accounts;
  readonly keys: AccountKeys;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @param name UUID or login */
export async function findAccount({ accounts }: Cloudapi, name: string): Promise<Account | undefined> {
  return isUuid(name) ? accounts.byUuid(name) : accounts.byLogin(name);
}

export function isAdmin({ config }: Cloudapi, { uuid, login }: Account): boolean {
  return uuid === config.adminUuid || login === config.adminLogin;
}
