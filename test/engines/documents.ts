import { join } from 'node:path';
import { openMorayStore } from '#lib/documents/moray/store.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Make } from '../conformance/documents/make.ts';
import { MorayDouble } from '../doubles/moray/server.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { type Engine, engines } from './engines.ts';
import { type PostgresKind, postgresKinds } from './postgres/postgres-for.ts';

export interface DocumentsUnderTest extends Engine {
  readonly make: Make;
}

const SQLITE: DocumentsUnderTest = {
  name: 'SQLite',
  async make(t) {
    const path = join(await temporaryFolder(t), 'data', 'moray.db');
    const open = async () => {
      const store = await openSqliteStore({ path });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), reopen: open };
  },
};

/** The real client, and a server that does what Moray does. */
const MORAY: DocumentsUnderTest = {
  name: 'Moray',
  async make(t) {
    const server = await new MorayDouble().start();
    t.teardown(async () => {
      const { connections } = server;
      await server.stop();
      if (connections > 0) throw new Error(`${connections} connections were left open`);
    });
    const open = async () => {
      const store = await openMorayStore({ host: '127.0.0.1', port: server.port });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), reopen: open };
  },
};

function postgres({ placeFor, ...kind }: PostgresKind): DocumentsUnderTest {
  return {
    ...kind,
    async make(t) {
      const { options } = await placeFor(t);
      const open = async () => {
        const store = await openPostgresStore(options);
        t.teardown(() => store.close());
        return store;
      };
      return { store: await open(), reopen: open };
    },
  };
}

export const documentEngines = engines<DocumentsUnderTest>(
  [SQLITE, MORAY, postgres(postgresKinds.npm)],
  [postgres(postgresKinds.debian), postgres(postgresKinds.pooled)],
);
