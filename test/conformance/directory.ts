import type { Accounts } from '#lib/accounts/accounts.ts';

/** A directory that holds the fixtures of accounts.ts and sub-users.ts, and can be made unreachable. */
export interface DirectoryUnderTest {
  readonly accounts: Accounts;
  readonly takeDown: () => Promise<void>;
  readonly bringUp: () => Promise<void>;
}
