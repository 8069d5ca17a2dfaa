/** What SQL databases share: the programs run on a driver that waits, and the statements compile for PostgreSQL. */
import { setImmediate } from 'node:timers/promises';
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  sql,
} from 'kysely';
import { test } from 'tap';
import { applyBatch } from '#lib/documents/sql/batch.ts';
import { Buckets } from '#lib/documents/sql/buckets.ts';
import type { SqlDialect } from '#lib/documents/sql/dialect.ts';
import { Documents } from '#lib/documents/sql/documents.ts';
import { EtagSource } from '#lib/documents/sql/etags.ts';
import { prepareWrite } from '#lib/documents/sql/prepared-write.ts';
import type { Program, Row } from '#lib/documents/sql/program.ts';
import { listParts } from '#lib/documents/sql/queries.ts';
import { readDeclarations } from '#lib/documents/sql/schema.ts';
import { Connection } from '#lib/documents/sqlite/connection.ts';
import { sqliteDialect } from '#lib/documents/sqlite/dialect.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';

const BUCKET: Bucket = {
  name: 'things',
  version: 1,
  index: {
    urn: { type: 'string', unique: true },
    at: { type: 'number' },
    public: { type: 'boolean' },
    tags: { type: 'string', array: true },
  },
  together: [['tags', 'at']],
};

/** As a driver of a database behind a network has to do it: each statement has to be waited for. */
async function runSlowly<T>({ db }: Connection, program: Program<T>): Promise<T> {
  let turn = program.next();
  while (turn.done !== true) {
    const rows: (readonly Row[])[] = [];
    try {
      for (const { statement, values } of turn.value) {
        await setImmediate();
        const prepared = db.prepare(statement.sql);
        if (statement.answer === 'rows') rows.push(prepared.raw().all(...values) as Row[]);
        else rows.push([[Number(prepared.run(...values).lastInsertRowid)]]);
      }
    } catch (error) {
      turn = program.throw(error);
      continue;
    }
    turn = program.next(rows);
  }
  return turn.value;
}

test('buckets and batches are programs that a driver may take its time with', async (t) => {
  const connection = new Connection(':memory:');
  t.teardown(() => connection.close());
  const buckets = new Buckets(sqliteDialect, () => undefined);
  await runSlowly(connection, buckets.declare([BUCKET]));
  buckets.adopt(await runSlowly(connection, readDeclarations(sqliteDialect)));
  const context = {
    tables: (bucket: string) => buckets.tables(bucket),
    etags: new EtagSource(),
    documents: new Documents(1000),
    now: 1,
  };
  const { layout } = buckets.tables('things');
  const put = (key: string, value: object): Write => ({ op: 'put', bucket: BUCKET, key, value });
  const batch = (...writes: Write[]) =>
    runSlowly(
      connection,
      applyBatch(
        writes.map((write) => prepareWrite(write, layout)),
        context,
      ),
    );
  const rows = (table: string) => connection.db.prepare(`select * from "${table}"`).raw().all();
  t.equal((await batch(put('a', { urn: 'x', at: 1, tags: ['p', 'q'] }), put('b', { urn: 'y' }))).length, 2);
  await batch(put('a', { urn: 'x', at: 2, tags: ['q', 'r'] }));
  t.strictSame(rows(layout.elements('tags')), [
    ['q', 1, 'a', 2],
    ['r', 1, 'a', 2],
  ]);
  const taken = batch(put('c', { urn: 'x' }));
  await t.rejects(taken, { name: 'UniqueAttributeError', field: 'urn' });
  await batch({ op: 'del', bucket: BUCKET, key: 'a' });
  t.strictSame(rows(layout.elements('tags')), []);
  t.strictSame(rows(layout.table).length, 1);
});

const compiler = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

/** No more than it takes to see that the seam is where PostgreSQL differs. */
const postgres: SqlDialect = {
  compile: (query: RawBuilder<unknown>) => query.compile(compiler),
  encode: (value) => value,
  encodeList: (values) => values,
  oneOf: (column, list) => sql<boolean>`${column} = any(${list})`,
  substring: (column, text) => sql<boolean>`strpos(${column}, ${text}) > 0`,
  order: (column, order) => sql`${column} ${sql.raw(order === 'asc' ? 'asc nulls first' : 'desc nulls last')}`,
  derived: (query) => sql`(${query}) as part`,
  types: {
    string: 'text collate "C"',
    number: 'double precision',
    boolean: 'boolean',
    rowId: 'bigint generated always as identity primary key',
    integer: 'bigint',
    time: 'bigint',
    text: 'text collate "C"',
    table: '',
    keyedTable: '',
  },
  returningId: sql` returning id`,
  tableNamed: (name) => sql`select 1 where to_regclass(${name}) is not null`,
  collision: () => undefined,
};

/** The statements of a program that gets no rows but those. */
function statementsOf(program: Program<unknown>, answers: readonly (readonly Row[])[] = []): string[] {
  const found: string[] = [];
  for (let turn = program.next(); turn.done !== true; turn = program.next(answers)) {
    found.push(...turn.value.map(({ statement }) => statement.sql.replaceAll(/\s+/g, ' ')));
  }
  return found;
}

test('the same statements compile for PostgreSQL', async (t) => {
  const buckets = new Buckets(postgres, () => undefined);
  const ddl = statementsOf(buckets.declare([BUCKET]));
  t.match(
    ddl[0],
    /^create table "things\$1" \(id bigint generated always as identity primary key, key text collate "C"/,
  );
  t.notMatch(ddl.join('\n'), /strict|rowid|sqlite|\?/);
  buckets.adopt([BUCKET]);
  const tables = buckets.tables('things');
  const write = prepareWrite({ op: 'put', bucket: BUCKET, key: 'a', value: { tags: ['p'] } }, tables.layout);
  const context = {
    tables: () => tables,
    etags: new EtagSource(),
    documents: new Documents(1000),
    now: 1,
  };
  const writing = statementsOf(applyBatch([write], context));
  t.match(writing[1], /^insert into "things\$1" .* values \(\$1, \$2, \$3, \$4, \$5, \$6, \$7\) returning id$/);
  const [page] = listParts(tables, {
    filter: {
      op: 'or',
      of: [
        { op: 'contains', field: 'tags', value: 'p' },
        { op: 'eq', field: 'public', value: true },
      ],
    },
    sort: { field: 'at', order: 'desc' },
    limit: 20,
  });
  t.match(page?.sql, /\) as part union select \* from \(.*desc nulls last.* limit \$\d+$/);
  t.notMatch(page?.sql, /\?|wanted/);
});
