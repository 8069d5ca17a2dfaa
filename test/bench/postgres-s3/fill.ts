/**
 * Puts images into the tables of a schema as COPY does: with rows as the engine itself would write them, and with the
 * indexes made anew at the end. A million takes a minute or so.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { postgresDialect } from '#lib/documents/postgres/dialect.ts';
import { Layout } from '#lib/documents/sql/layout.ts';
import type { Bucket } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { TASKS } from '#src/maintenance/tasks/task.ts';
import type { PostgresServer } from '../../engines/postgres/server.ts';
import { type Document, imageDocuments, type Row, rowsOf } from '../rows.ts';

/** Characters that are gathered before they are written. */
const PIECE = 1024 * 1024;
const LEASE_MS = 3600_000;

/** The schema must have the tables, as a server makes them when it starts. */
export async function fillWithImages(server: PostgresServer, schema: string, count: number): Promise<void> {
  await copyIn(server, schema, IMAGES, count, imageDocuments(count));
  await copyIn(server, schema, TASKS, 1, comparingElsewhere);
  await server.query('checkpoint');
}

/** Another process compares the archive of manifests: it reads all images, which would be measured with the rest. */
function comparingElsewhere(): Document {
  const lease = { worker: 'bench', until: Date.now() + LEASE_MS, length: LEASE_MS };
  return { id: 1, key: 'compare-archive', etag: 'bench', value: { lease, next_at: 0, failures: 0, rev: 1 } };
}

async function copyIn(
  server: PostgresServer,
  schema: string,
  bucket: Bucket,
  count: number,
  documentOf: (index: number) => Document,
): Promise<void> {
  const layout = new Layout(bucket, postgresDialect(schema).identifier);
  const folder = join(server.socketFolder, `fill-${schema}`);
  await mkdir(folder, { mode: 0o755 });
  await chmod(folder, 0o755);
  try {
    const files = new Files(folder, layout.tables);
    for (let index = 0; index < count; index++) await files.add(linesOf(rowsOf(layout, documentOf(index))));
    await files.end();
    for (const table of layout.tables) await load(server, schema, table, files.pathOf(table));
    const own = `"${schema}"."${layout.table}"`;
    await server.query(`alter table ${own} alter column id restart with ${count + 1}`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Frozen rows: as after the first vacuum of a table that has been there for a while. */
async function load(server: PostgresServer, schema: string, table: string, file: string): Promise<void> {
  const own = `"${schema}"."${table}"`;
  const indexes = await server.query(
    `select indexname, indexdef from pg_indexes where schemaname = $1 and tablename = $2 and indexname not in
      (select conname from pg_constraint join pg_namespace on pg_namespace.oid = connamespace where nspname = $1)`,
    [schema, table],
  );
  await server.query(
    [
      'begin',
      `set local maintenance_work_mem = '512MB'`,
      `truncate ${own}`,
      ...indexes.map(({ indexname }) => `drop index "${schema}"."${indexname}"`),
      `copy ${own} from '${file}' with (freeze)`,
      ...indexes.map(({ indexdef }) => String(indexdef)),
      'commit',
    ].join('; '),
  );
  await server.query(`vacuum analyze ${own}`);
}

/** In the format of COPY. */
function linesOf(rows: ReadonlyMap<string, readonly Row[]>): ReadonlyMap<string, readonly string[]> {
  return new Map([...rows].map(([table, each]) => [table, each.map(line)]));
}

function line(cells: Row): string {
  return `${cells.map((cell) => (cell === null ? '\\N' : String(cell).replaceAll('\\', '\\\\'))).join('\t')}\n`;
}

/** A file for each table. */
class Files {
  readonly #folder: string;
  readonly #texts: Map<string, string>;
  readonly #streams;

  constructor(folder: string, tables: readonly string[]) {
    this.#folder = folder;
    this.#texts = new Map(tables.map((table) => [table, '']));
    this.#streams = new Map(tables.map((table) => [table, createWriteStream(this.pathOf(table), { mode: 0o644 })]));
  }

  pathOf(table: string): string {
    return join(this.#folder, table.replaceAll('$', '-'));
  }

  async add(rows: ReadonlyMap<string, readonly string[]>): Promise<void> {
    for (const [table, lines] of rows) {
      const text = (this.#texts.get(table) ?? '') + lines.join('');
      if (text.length > PIECE) await this.#write(table, text);
      this.#texts.set(table, text.length > PIECE ? '' : text);
    }
  }

  async end(): Promise<void> {
    for (const [table, text] of this.#texts) await this.#write(table, text);
    for (const stream of this.#streams.values()) {
      stream.end();
      await finished(stream);
    }
  }

  async #write(table: string, text: string): Promise<void> {
    const stream = this.#streams.get(table);
    if (stream?.write(text) === false) await once(stream, 'drain');
  }
}
