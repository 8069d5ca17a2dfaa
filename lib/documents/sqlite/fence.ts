/** The fence of a database file. */
import type { Fence } from '../moving/moved.ts';
import { sqlFence } from '../sql/fence.ts';
import { Connection } from './connection.ts';
import { sqliteDialect } from './dialect.ts';
import { PATIENCE, patiently } from './patience.ts';
import { run } from './run.ts';
import { openSqliteStore } from './store.ts';
import { sqliteTriggers } from './triggers.ts';

/** Each call has a connection of its own, so that the store of this process notices what the others do. */
export function sqliteFence(path: string): Fence {
  const using = <T>(body: (connection: Connection) => T): Promise<T> =>
    patiently(() => {
      const connection = new Connection(path);
      try {
        return body(connection);
      } finally {
        connection.close();
      }
    }, PATIENCE);
  return sqlFence(sqliteDialect, {
    now: () => using((connection) => connection.now()),
    read: (program) => using((connection) => connection.read(() => run(connection, program()))),
    write: (program) => using((connection) => connection.write(() => run(connection, program()))),
    triggers: sqliteTriggers,
    behind: () => openSqliteStore({ path, place: 'behind-fence' }),
  });
}
