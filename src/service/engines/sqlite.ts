import { join } from 'node:path';
import { RESERVE } from '#lib/documents/sqlite/reserve.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { databaseRefusal } from '../data-folder.ts';
import type { DocumentEngine } from './opening.ts';

export const sqlite: DocumentEngine = {
  open: ({ config, log, observe, clock }) =>
    openSqliteStore({
      path: join(config.dataDir, 'imgapi.db'),
      log,
      reserve: RESERVE,
      ...(observe && { observer: observe('sqlite') }),
      ...(clock && { clock }),
    }),
  refuse: ({ dataDir }) => databaseRefusal(dataDir),
};
