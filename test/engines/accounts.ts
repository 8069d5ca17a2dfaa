import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import type { DirectoryUnderTest } from '../conformance/directory.ts';
import { directoryFile } from '../conformance/directory-file.ts';
import { type Engine, engines } from './engines.ts';

export interface AccountsUnderTest extends Engine {
  readonly make: (t: Test) => Promise<DirectoryUnderTest>;
}

const FILE: AccountsUnderTest = {
  name: 'accounts file',
  async make(t) {
    const path = join(t.testdir({ 'accounts.json': directoryFile() }), 'accounts.json');
    const accounts = await openAccountsFile({ path, checkEvery: 0 });
    return {
      accounts,
      takeDown: () => rename(path, `${path}.away`),
      bringUp: () => rename(`${path}.away`, path),
    };
  },
};

export const accountEngines = engines<AccountsUnderTest>([FILE], []);
