/** Databases that documents move away from while they are used. */
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Fence } from '#lib/documents/moving/moved.ts';
import { postgresFence } from '#lib/documents/postgres/fence.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { sqliteFence } from '#lib/documents/sqlite/fence.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Store } from '#lib/documents/store.ts';
import { postgresFor } from '../../../engines/postgres/postgres-for.ts';

export interface Source {
  readonly open: () => Promise<Store>;
  readonly fence: Fence;
}

export const SOURCES: Readonly<Record<string, (t: Test) => Promise<Source>>> = {
  async SQLite(t) {
    const path = join(t.testdir(), 'source.db');
    return { open: () => openSqliteStore({ path }), fence: sqliteFence(path) };
  },
  async PostgreSQL(t) {
    const { options } = await postgresFor(t);
    return { open: () => openPostgresStore(options), fence: postgresFence(options) };
  },
};
