import { join } from 'node:path';
import type { Test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { storeConformance } from '../../conformance/documents.ts';

storeConformance('SQLite', async (t: Test) => {
  const path = join(t.testdir(), 'data', 'moray.db');
  const open = async () => {
    const store = await openSqliteStore({ path });
    t.teardown(() => store.close());
    return store;
  };
  return { store: await open(), reopen: open };
});
