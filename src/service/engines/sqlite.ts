import { join } from 'node:path';
import { DATABASE_FILE } from '#lib/documents/sqlite/database-file.ts';
import { sqliteFence } from '#lib/documents/sqlite/fence.ts';
import { RESERVE } from '#lib/documents/sqlite/reserve.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { databaseRefusal } from '../data-folder.ts';
import type { DocumentEngine } from './opening.ts';

export const sqlite: DocumentEngine = {
  async open({ config, log, observe, clock }, since) {
    const path = join(config.dataDir, DATABASE_FILE);
    const store = await openSqliteStore({
      ...{ path, place: { since }, log, reserve: RESERVE },
      ...(observe && { observer: observe('sqlite') }),
      ...(clock && { clock }),
    });
    return { store, fence: sqliteFence(path) };
  },
  refuse: ({ dataDir }) => databaseRefusal(dataDir),
};
