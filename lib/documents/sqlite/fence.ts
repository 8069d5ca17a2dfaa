/** The fence of a database file. */
import type { Fence } from '../moving/moved.ts';
import { changeFence, clearFence, forgetFence, liftFence, raiseFence, readMoved } from '../sql/fence.ts';
import type { Program } from '../sql/program.ts';
import { Connection } from './connection.ts';
import { sqliteDialect as dialect } from './dialect.ts';
import { PATIENCE, patiently } from './patience.ts';
import { run } from './run.ts';
import { openSqliteStore } from './store.ts';

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
  const write = <T>(program: () => Program<T>): Promise<T> =>
    using((connection) => connection.write(() => run(connection, program())));
  return {
    now: () => using((connection) => connection.now()),
    read: () => using((connection) => connection.read(() => run(connection, readMoved(dialect)))),
    raise: (moved) => write(() => raiseFence(dialect, moved)),
    change: (moved) => write(() => changeFence(dialect, moved)),
    lift: (nonce) => write(() => liftFence(dialect, nonce)),
    clear: (epoch) => write(() => clearFence(dialect, epoch)),
    forget: (epoch) => write(() => forgetFence(dialect, epoch)),
    behind: () => openSqliteStore({ path, place: 'behind-fence' }),
  };
}
