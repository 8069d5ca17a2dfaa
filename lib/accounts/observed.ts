import { type OperationObserver, observed } from '../runtime/operation-observer.ts';
import type { Accounts } from './accounts.ts';

/** Tells the observer of every look-up that gets as far as the directory. */
export function observeAccounts(accounts: Accounts, observer: OperationObserver | undefined): Accounts {
  if (!observer) return accounts;
  const watched =
    <A extends unknown[], R>(operation: string, call: (...given: A) => Promise<R>) =>
    (...given: A): Promise<R> =>
      observed(
        observer,
        operation,
        () => call(...given),
        (error) => error,
      );
  return {
    byUuid: watched('byUuid', (uuid) => accounts.byUuid(uuid)),
    byLogin: watched('byLogin', (login) => accounts.byLogin(login)),
    byUuids: watched('byUuids', (uuids) => accounts.byUuids(uuids)),
    keysOf: watched('keysOf', (uuid, subUser) => accounts.keysOf(uuid, subUser)),
    subUserByLogin: watched('subUserByLogin', (account, login) => accounts.subUserByLogin(account, login)),
    subUserByUuid: watched('subUserByUuid', (account, uuid) => accounts.subUserByUuid(account, uuid)),
    rolesOf: watched('rolesOf', (account) => accounts.rolesOf(account)),
    close: () => accounts.close(),
  };
}
