/** SQLite's plans do not depend on what is stored: the statistics that it goes by are invented (`statistics.ts`). */
import { Layout } from '#lib/documents/sql/layout.ts';
import { listParts } from '#lib/documents/sql/queries.ts';
import { Tables } from '#lib/documents/sql/tables.ts';
import { sqliteDialect } from '#lib/documents/sqlite/dialect.ts';
import { openSqliteBackend } from '#lib/documents/sqlite/store.ts';
import { BUCKET, QUERIES } from './queries.ts';
import { section } from './section.ts';

export async function sqlitePlans(): Promise<string> {
  const store = await openSqliteBackend({ path: ':memory:' });
  try {
    await store.open([BUCKET]);
    const tables = new Tables(new Layout(BUCKET, sqliteDialect.identifier), sqliteDialect);
    const sections: string[] = [];
    for (const [name, query] of QUERIES) {
      const statements = listParts(tables, query).map(({ sql }) => sql);
      sections.push(section(name, statements, await store.planOf(BUCKET, query)));
    }
    return sections.join('\n');
  } finally {
    await store.close();
  }
}
