import { join } from 'node:path';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Make } from '../conformance/documents/make.ts';
import { type Engine, engines } from './engines.ts';

export interface DocumentsUnderTest extends Engine {
  readonly make: Make;
}

const SQLITE: DocumentsUnderTest = {
  name: 'SQLite',
  async make(t) {
    const path = join(t.testdir(), 'data', 'moray.db');
    const open = async () => {
      const store = await openSqliteStore({ path });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), reopen: open };
  },
};

export const documentEngines = engines<DocumentsUnderTest>([SQLITE], []);
