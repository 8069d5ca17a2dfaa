import { postgresFence } from '#lib/documents/postgres/fence.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { ConfigError } from '../config/config-error.ts';
import { postgresOptionsOf } from '../config/postgres.ts';
import type { DocumentEngine } from './opening.ts';

export const postgres: DocumentEngine = {
  open: async ({ config, log, observe, clock }, since) =>
    openPostgresStore({
      ...(await postgresOptionsOf(config)),
      log,
      place: { since },
      ...(observe && { observer: observe('postgres') }),
      ...(clock && { clock }),
    }),
  fence: async ({ config }) => postgresFence(await postgresOptionsOf(config)),
  refuse: () => (cause) => {
    if (cause instanceof ConfigError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('configuration', [`postgres: the database cannot be used: ${reason}`], { cause });
  },
};
