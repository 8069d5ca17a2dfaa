import type { Accounts } from './accounts.ts';

/** Makes a look-up. @param operation its name */
export type Around = <T>(operation: string, call: () => Promise<T>) => Promise<T>;

/** The same directory, with `around` around every look-up. */
export function wrapAccounts(accounts: Accounts, around: Around, close: () => Promise<void>): Accounts {
  return {
    byUuid: (uuid) => around('byUuid', () => accounts.byUuid(uuid)),
    byLogin: (login) => around('byLogin', () => accounts.byLogin(login)),
    byUuids: (uuids) => around('byUuids', () => accounts.byUuids(uuids)),
    keysOf: (uuid, subUser) => around('keysOf', () => accounts.keysOf(uuid, subUser)),
    subUserByLogin: (account, login) => around('subUserByLogin', () => accounts.subUserByLogin(account, login)),
    subUserByUuid: (account, uuid) => around('subUserByUuid', () => accounts.subUserByUuid(account, uuid)),
    rolesOf: (account) => around('rolesOf', () => accounts.rolesOf(account)),
    close,
  };
}
