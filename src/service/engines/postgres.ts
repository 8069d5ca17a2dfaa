import { postgresFence } from '#lib/documents/postgres/fence.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { ConfigError } from '../config/config-error.ts';
import { postgresOptionsOf } from '../config/postgres.ts';
import type { DocumentEngine } from './opening.ts';

export const postgres: DocumentEngine = {
  async open({ config, log, observe, clock }, since) {
    const options = await postgresOptionsOf(config);
    const store = await openPostgresStore({
      ...{ ...options, log, place: { since } },
      ...(observe && { observer: observe('postgres') }),
      ...(clock && { clock }),
    });
    return { store, fence: postgresFence(options) };
  },
  refuse: () => (cause) => {
    if (cause instanceof ConfigError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError('configuration', [`postgres: the database cannot be used: ${reason}`], { cause });
  },
};
