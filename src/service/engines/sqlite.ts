import { join } from 'node:path';
import { sqliteFence } from '#lib/documents/sqlite/fence.ts';
import { RESERVE } from '#lib/documents/sqlite/reserve.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { databaseRefusal } from '../data-folder.ts';
import type { DocumentEngine } from './opening.ts';

export const sqlite: DocumentEngine = {
  open: ({ config, log, observe, clock }, since) =>
    openSqliteStore({
      path: join(config.dataDir, 'imgapi.db'),
      place: { since },
      log,
      reserve: RESERVE,
      ...(observe && { observer: observe('sqlite') }),
      ...(clock && { clock }),
    }),
  fence: async ({ config }) => sqliteFence(join(config.dataDir, 'imgapi.db')),
  refuse: ({ dataDir }) => databaseRefusal(dataDir),
};
