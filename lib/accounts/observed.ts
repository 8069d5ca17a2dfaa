import { type OperationObserver, observed } from '../runtime/operation-observer.ts';
import type { Accounts } from './accounts.ts';
import { wrapAccounts } from './wrapped.ts';

/** Tells the observer of every look-up that gets as far as the directory. */
export function observeAccounts(accounts: Accounts, observer: OperationObserver | undefined): Accounts {
  if (!observer) return accounts;
  return wrapAccounts(
    accounts,
    (operation, call) => observed(observer, operation, call, (error) => error),
    () => accounts.close(),
  );
}
