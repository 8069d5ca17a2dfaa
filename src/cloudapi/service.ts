/** What the parts of the process share: created once at start, never changed. */
import type Logger from 'bunyan';
import type { Account, Accounts, SubUser } from '#lib/accounts/accounts.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { VerifyToken } from '#lib/tokens/bearer.ts';
import type { AccountKeys } from './account-keys.ts';
import type { ClientAddress } from './client-address.ts';
import type { CloudapiConfig } from './config.ts';
import type { Policies } from './policies.ts';

export interface Cloudapi {
  readonly config: CloudapiConfig;
  readonly imgapi: ImgapiClient;
  readonly accounts: Accounts;
  readonly keys: AccountKeys;
  readonly policies: Policies;
  /** Absent: no bearer tokens are accepted. */
  readonly tokens?: VerifyToken;
  readonly clientAddress: ClientAddress;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @param name UUID or login */
export async function findAccount({ accounts }: Cloudapi, name: string): Promise<Account | undefined> {
  return isUuid(name) ? accounts.byUuid(name) : accounts.byLogin(name);
}

/** @param account UUID. @param name UUID or login */
export async function findSubUser({ accounts }: Cloudapi, account: string, name: string): Promise<SubUser | undefined> {
  return isUuid(name) ? accounts.subUserByUuid(account, name) : accounts.subUserByLogin(account, name);
}

export function isAdmin({ config }: Cloudapi, { uuid, login }: Account): boolean {
  return uuid === config.adminUuid || login === config.adminLogin;
}
