/** What SQL databases share: the programs run on a driver that waits. */
import { setImmediate } from 'node:timers/promises';
import { test } from 'tap';
import { applyBatch } from '#lib/documents/sql/batch.ts';
import { Buckets } from '#lib/documents/sql/buckets.ts';
import { Documents } from '#lib/documents/sql/documents.ts';
import { EtagSource } from '#lib/documents/sql/etags.ts';
import { prepareWrite } from '#lib/documents/sql/prepared-write.ts';
import type { Program, Row } from '#lib/documents/sql/program.ts';
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
        else {
          prepared.run(...values);
          rows.push([]);
        }
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
