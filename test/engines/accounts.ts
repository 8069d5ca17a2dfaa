import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import { DIRECTORY_FIXTURE, type DirectoryUnderTest, KEYS_FIXTURE } from '../conformance/accounts.ts';
import { type Engine, engines } from './engines.ts';

export interface AccountsUnderTest extends Engine {
  readonly make: (t: Test) => Promise<DirectoryUnderTest>;
}

const FILE: AccountsUnderTest = {
  name: 'accounts file',
  async make(t) {
    const entries = DIRECTORY_FIXTURE.map(({ createdAt, updatedAt, ...rest }) => ({
      ...rest,
      created_at: createdAt?.toISOString(),
      updated_at: updatedAt?.toISOString(),
      keys: KEYS_FIXTURE[rest.uuid],
    }));
    const path = join(t.testdir({ 'accounts.json': JSON.stringify(entries) }), 'accounts.json');
    const accounts = await openAccountsFile({ path, checkEvery: 0 });
    return {
      accounts,
      takeDown: () => rename(path, `${path}.away`),
      bringUp: () => rename(`${path}.away`, path),
    };
  },
};

export const accountEngines = engines<AccountsUnderTest>([FILE], []);
