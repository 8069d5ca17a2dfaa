/** The fence of a database. A rename waits for the transactions that use the table, and ends what was prepared on it. */
import type { Fence } from '../moving/moved.ts';
import { sqlFence } from '../sql/fence.ts';
import { Statement } from '../sql/program.ts';
import { Access } from './access.ts';
import { PostgresBuckets } from './buckets.ts';
import { Connections } from './connections.ts';
import { postgresDialect } from './dialect.ts';
import type { PostgresOptions } from './options.ts';
import { databaseTime, type Session } from './session.ts';
import { openPostgresStore } from './store.ts';
import { begin, COMMIT } from './transactions.ts';
import { postgresTriggers } from './triggers.ts';

/** The one that upgrades of buckets take. */
const LOCK = new Statement("select pg_advisory_xact_lock(hashtext('imgapi'), hashtext($1))", 'rows');

/** Each call has a connection of its own, which is closed with it. */
export function postgresFence(options: PostgresOptions): Fence {
  const { schema, patienceMs, statementMs } = options;
  const using = async <T>(body: (session: Session) => Promise<T>): Promise<T> => {
    const connections = new Connections({ ...options, poolSize: 1 });
    try {
      const access = new Access(connections, new PostgresBuckets(schema, () => undefined, 'behind-fence'), patienceMs);
      return await access.run(() => connections.use(body));
    } finally {
      await connections.close();
    }
  };
  return sqlFence(postgresDialect(schema), {
    now: () => using(databaseTime),
    read: (program) => using((session) => session.runProgram(program())),
    write: (program) =>
      using(async (session) => {
        await session.run([...begin(statementMs), { statement: LOCK, values: [schema] }]);
        const result = await session.runProgram(program());
        await session.run([COMMIT]);
        return result;
      }),
    triggers: postgresTriggers(schema),
    behind: () => openPostgresStore({ ...options, place: 'behind-fence' }),
  });
}
