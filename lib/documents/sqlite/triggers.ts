import { sql } from 'kysely';
import { CHANGES, type Triggers } from '../sql/changes.ts';
import { once, type Program } from '../sql/program.ts';

const PREFIX = `${CHANGES}$`;
const TRIGGERS = sql`sqlite_schema where type = 'trigger' and substr(name, 1, ${sql.lit(PREFIX.length)}) = ${sql.lit(PREFIX)}`;

export const sqliteTriggers: Triggers = {
  set: (table, bucket) =>
    (['insert', 'update', 'delete'] as const).map((event) => {
      const key = sql.raw(event === 'delete' ? 'old.key' : 'new.key');
      return sql`create trigger ${sql.id(`${PREFIX}${event}$${table}`)} after ${sql.raw(event)} on ${sql.id(table)}
        begin insert into ${sql.id(CHANGES)} (bucket, key) values (${sql.lit(bucket)}, ${key}); end`;
    }),
  *remove(dialect): Program<void> {
    const [rows = []] = yield [once(dialect, sql`select name from ${TRIGGERS}`, 'rows')];
    yield rows.map(([name]) => once(dialect, sql`drop trigger ${sql.id(String(name))}`));
  },
  tables: sql`select distinct tbl_name from ${TRIGGERS}`,
};
