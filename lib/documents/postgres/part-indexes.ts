/**
 * Indexes for fields that are searched for parts of texts: of three-letter pieces (the extension pg_trgm), and of shorter
 * ones. They are made in
 * the background, beside all reads and writes, by one process at a time; without them such a search reads the whole table.
 */
import { type RawBuilder, sql } from 'kysely';
import { pause } from '../../runtime/timers.ts';
import type { SqlDialect } from '../sql/dialect.ts';
import type { Layout } from '../sql/layout.ts';
import { once, type Row, Statement, type Step } from '../sql/program.ts';
import type { Connections } from './connections.ts';
import { PART_INDEXES, type PartIndex, partIndexOf } from './dialect.ts';
import { isReadOnly, remedyFor } from './failure.ts';
import { shortPieces } from './short-pieces.ts';

/** Milliseconds after which it begins, unless configured otherwise: a start is not to be slower for it. */
export const INDEX_AFTER = 3000;
/** Milliseconds that an index may take. */
const LONGEST_MS = 60 * 60_000;
/** Milliseconds until it is looked again what another process has done, and until a failure is tried again. */
const OTHERS_MS = 5000;
const FAILED_MS = 10 * 60_000;
/** One holds the lock, one makes the index, and requests need one too. */
const FEWEST_CONNECTIONS = 3;

/** Held by a transaction that does nothing else: the index cannot be made in one. */
const LOCK: readonly Step[] = [
  step('begin'),
  {
    statement: new Statement("select set_config('idle_in_transaction_session_timeout', $1, true)", 'rows'),
    values: [String(LONGEST_MS)],
  },
];
const TRY_LOCK = "select pg_try_advisory_xact_lock(hashtext('imgapi part indexes'), hashtext($1))";
/** The answer to the statement before holds a snapshot, whose end making the index would wait for, until there is another. */
const LET_GO = step('savepoint locked');
const EXTENSION = `select nspname from pg_catalog.pg_extension join pg_catalog.pg_namespace as its on its.oid = extnamespace
  where extname = 'pg_trgm'`;
const PUBLIC = "select 1 from pg_catalog.pg_namespace where nspname = 'public'";
/** Whether it is valid, and whether somebody makes it at this moment. */
const INDEX = `select indisvalid, exists (select 1 from pg_catalog.pg_stat_progress_create_index where index_relid = indexrelid)
  from pg_catalog.pg_index join pg_catalog.pg_class as its on its.oid = indexrelid
    join pg_catalog.pg_namespace as schemas on schemas.oid = relnamespace
  where nspname = $1 and relname = $2`;

export interface PartIndexesOptions {
  readonly schema: string;
  readonly dialect: SqlDialect;
  readonly poolSize: number;
  /** Of a bucket as it is now. */
  readonly layoutOf: (bucket: string) => Layout;
  /** Milliseconds. */
  readonly after: number;
  readonly warn: (fields: object, message: string) => void;
}

export class PartIndexes {
  readonly #connections: Connections;
  readonly #options: PartIndexesOptions;
  readonly #closed = new AbortController();
  /** Buckets whose index may have to be made. */
  readonly #wanted = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(connections: Connections, options: PartIndexesOptions) {
    this.#connections = connections;
    this.#options = options;
  }

  /** Has the indexes of these buckets made, if they are not there. */
  want(buckets: readonly string[]): void {
    for (const bucket of buckets) if (searchedIn(this.#options.layoutOf(bucket)).length > 0) this.#wanted.add(bucket);
    if (this.#wanted.size > 0) this.#running ??= this.#run();
  }

  /** Ends what is under way; the next process goes on with it. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    let hasWarned = false;
    for (let wait = this.#options.after; !signal.aborted; ) {
      await pause(wait, signal).catch(() => undefined);
      const [bucket] = this.#wanted;
      if (signal.aborted || bucket === undefined) break;
      try {
        const layout = this.#options.layoutOf(bucket);
        const isMade = await this.#make(layout);
        if (isMade && this.#options.layoutOf(bucket) === layout) this.#wanted.delete(bucket);
        wait = isMade ? 0 : OTHERS_MS;
      } catch (error) {
        if (signal.aborted) break;
        // Making an index cannot ask for a transaction that writes, as all else does.
        const hasToBeMended = remedyFor(error) === 'none' || isReadOnly(error);
        wait = hasToBeMended ? FAILED_MS : OTHERS_MS;
        if (hasToBeMended && !hasWarned) {
          hasWarned = true;
          const message = 'parts of texts cannot be indexed, so searches for them read the whole table';
          this.#options.warn({ err: error, bucket }, message);
        }
      }
    }
    this.#running = undefined;
  }

  /** @returns whether the index is there; otherwise another process may be making it */
  async #make(layout: Layout): Promise<boolean> {
    for (const kind of PART_INDEXES) if (!(await this.#makeOne(layout, kind))) return false;
    return true;
  }

  async #makeOne(layout: Layout, kind: PartIndex): Promise<boolean> {
    const { poolSize, schema, dialect } = this.#options;
    const name = partIndexOf(layout.table, kind);
    const [known] = await this.#ask(INDEX, [schema, name]);
    if (known?.[0] === true) return true;
    if (poolSize < FEWEST_CONNECTIONS) {
      throw new Error(`poolSize is ${poolSize}, and it takes ${FEWEST_CONNECTIONS} connections to make an index`);
    }
    return await this.#connections.use(async (session) => {
      await session.run(LOCK);
      const [[lock] = []] = await session.run([{ statement: new Statement(TRY_LOCK, 'rows'), values: [schema] }]);
      if (lock?.[0] !== true) return false;
      await session.run([LET_GO]);
      const [index] = await this.#ask(INDEX, [schema, name]);
      if (index?.[0] === true) return true;
      // Of a process that died, whose statement goes on at the server.
      if (index?.[1] === true) return false;
      const columns = await this.#columns(layout, kind);
      // One that was begun and not finished is kept by writes and used by no search.
      if (index) await this.#do(once(dialect, sql`drop index concurrently if exists ${dialect.table(name)}`));
      // What was just written shall not have to be looked through by each search.
      await this.#do(
        once(
          dialect,
          sql`create index concurrently ${sql.id(name)} on ${dialect.table(layout.table)}
            using gin (${sql.join(columns)}) with (fastupdate = off)`,
        ),
      );
      // How frequent the pieces are is known of an expression only then.
      if (kind === 'pairs') await this.#do(once(dialect, sql`analyze ${dialect.table(layout.table)}`));
      return true;
    }, this.#closed.signal);
  }

  async #columns(layout: Layout, kind: PartIndex): Promise<RawBuilder<unknown>[]> {
    const columns = searchedIn(layout).map((column) => sql.id(column));
    if (kind === 'pairs') return columns.map(shortPieces);
    const extension = await this.#extension();
    return columns.map((column) => sql`${column} ${sql.id(extension, 'gin_trgm_ops')}`);
  }

  /**
   * The schema of pg_trgm, which is made if that is allowed: not in the schema of the documents, which is dropped before a
   * dump is restored, and a dump of a schema has no extensions in it.
   */
  async #extension(): Promise<string> {
    const [known] = await this.#ask(EXTENSION, []);
    if (known) return String(known[0]);
    const [hasPublic] = await this.#ask(PUBLIC, []);
    await this.#do(step(`create extension if not exists pg_trgm${hasPublic ? ' with schema public' : ''}`));
    const [made] = await this.#ask(EXTENSION, []);
    return String(made?.[0]);
  }

  async #ask(text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    const { signal } = this.#closed;
    const [rows = []] = await this.#connections.use(
      (session) => session.run([{ statement: new Statement(text, 'rows'), values }], signal),
      signal,
    );
    return rows;
  }

  async #do(one: Step): Promise<void> {
    const { signal } = this.#closed;
    await this.#connections.use((session) => session.run([one], signal), signal, LONGEST_MS);
  }
}

function step(text: string): Step {
  return { statement: new Statement(text, 'nothing'), values: [] };
}

/** The columns that are searched for parts of texts. */
function searchedIn(layout: Layout): string[] {
  return layout.fields.flatMap(([field, { substrings }]) => (substrings === true ? [layout.column(field)] : []));
}
