import { sql } from 'kysely';
import { CHANGES, type Triggers } from '../sql/changes.ts';
import { once } from '../sql/program.ts';

/** Of the function, and of each trigger that calls it. */
const NAME = 'note_change';

export function postgresTriggers(schema: string): Triggers {
  const call = sql.id(schema, NAME);
  const define = sql`create or replace function ${call}() returns trigger language plpgsql as $note$
    begin
      insert into ${sql.id(schema, CHANGES)} (bucket, key)
        values (tg_argv[0], coalesce(new.key, old.key));
      return null;
    end $note$`;
  return {
    set: (table, bucket) => [
      define,
      sql`create trigger ${sql.id(NAME)} after insert or update or delete on ${sql.id(schema, table)}
        for each row execute function ${call}(${sql.lit(bucket)})`,
    ],
    *remove(dialect) {
      yield [once(dialect, sql`drop function if exists ${call}() cascade`)];
    },
    tables: sql`select relname from pg_catalog.pg_trigger join pg_catalog.pg_class as rows on rows.oid = tgrelid
      join pg_catalog.pg_namespace as place on place.oid = relnamespace
      where tgname = ${sql.lit(NAME)} and nspname = ${sql.lit(schema)}`,
  };
}
