import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { cacheAccounts } from '#lib/accounts/cache.ts';
import { breakCircuit } from '#lib/accounts/circuit.ts';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import { UfdsDirectory } from '#lib/accounts/ufds/directory.ts';
import type { UfdsOptions } from '#lib/accounts/ufds/options.ts';
import { DIRECTORY_FIXTURE, KEYS_FIXTURE } from '../conformance/accounts.ts';
import type { DirectoryUnderTest } from '../conformance/directory.ts';
import { directoryFile } from '../conformance/directory-file.ts';
import { POLICIES_FIXTURE, ROLES_FIXTURE, SUB_USER_KEYS_FIXTURE, SUB_USERS_FIXTURE } from '../conformance/sub-users.ts';
import { BIND, USERS, ufdsDoubleFor } from '../doubles/ufds.ts';
import { entriesOf, subEntriesOf } from '../helpers/ufds-entries.ts';
import { waitFor } from '../helpers/wait.ts';
import { type Engine, engines } from './engines.ts';
import { SLAPD_BIND, slapdAbsent, startSlapd } from './slapd.ts';

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

const OPTIONS: UfdsOptions = {
  ...{ url: '', ...BIND, base: USERS, tls: { insecure: false } },
  ...{ maxConnections: 2, connectTimeout: 5000, timeout: 5000, idle: 60_000 },
};

const ENTRIES = [
  ...entriesOf(DIRECTORY_FIXTURE, KEYS_FIXTURE),
  ...Object.entries(SUB_USERS_FIXTURE).flatMap(([account, users]) =>
    subEntriesOf(account, {
      ...{ users, keys: SUB_USER_KEYS_FIXTURE },
      ...{ policies: POLICIES_FIXTURE[account] ?? [], roles: ROLES_FIXTURE[account] ?? [] },
    }),
  ),
];

async function makeUfds(t: Test): Promise<DirectoryUnderTest> {
  const double = await ufdsDoubleFor(t, { entries: ENTRIES });
  const accounts = new UfdsDirectory({ ...OPTIONS, url: double.url });
  t.teardown(async () => {
    await accounts.close();
    await waitFor('the connections to be closed', () => double.connections === 0);
  });
  return { accounts, takeDown: double.takeDown, bringUp: double.bringUp };
}

const UFDS: AccountsUnderTest = { name: 'UFDS', make: makeUfds };

const CACHED_UFDS: AccountsUnderTest = {
  name: 'UFDS behind a circuit and a cache',
  async make(t) {
    const { accounts: directory, takeDown, bringUp } = await makeUfds(t);
    const accounts = cacheAccounts(breakCircuit(directory, { minDelay: 10 }));
    t.teardown(() => accounts.close());
    const isBack = () => accounts.byLogin('admin').catch(() => undefined);
    return { accounts, takeDown, bringUp: () => bringUp().then(async () => void (await waitFor('UFDS', isBack))) };
  },
};

const SLAPD: AccountsUnderTest = {
  name: 'slapd',
  absent: slapdAbsent,
  async make(t) {
    const slapd = await startSlapd(t, ENTRIES);
    const accounts = new UfdsDirectory({ ...OPTIONS, ...SLAPD_BIND, url: slapd.url });
    t.teardown(() => accounts.close());
    return { accounts, takeDown: slapd.stop, bringUp: slapd.start };
  },
};

export const accountEngines = engines<AccountsUnderTest>([FILE, UFDS, CACHED_UFDS], [SLAPD]);
