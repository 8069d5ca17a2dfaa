/** Looks at a database without being one of the processes that use it: nothing is made, upgraded or waited for. */
import { Client } from 'pg';
import { Layout } from '../sql/layout.ts';
import type { Bucket } from '../store.ts';
import { PART_INDEXES, type PartIndex, partIndexOf, postgresDialect } from './dialect.ts';
import { passwordMissing } from './failure.ts';
import type { PostgresOptions } from './options.ts';

export interface ExaminedDatabase {
  /** Milliseconds since the epoch, by the clock of the database. */
  readonly now: number;
  /** Nothing can be written there. */
  readonly isStandby: boolean;
  /** Only what asks for it is written there, as documents do: all but search indexes. */
  readonly isReadOnlyByDefault: boolean;
  /** Whether parts of texts can be indexed there. */
  readonly hasTrigrams: boolean;
  /** Indexes of parts of texts that were begun and cannot be used yet. */
  readonly unfinished: readonly PartIndexOfTable[];
  /** Those that a table has not, though it has one of another kind. */
  readonly missing: readonly PartIndexOfTable[];
  /** How many can be used. */
  readonly finished: number;
}

export interface PartIndexOfTable {
  readonly name: string;
  readonly kind: PartIndex;
}

const QUESTION = `select extract(epoch from clock_timestamp()) * 1000 as now,
    pg_is_in_recovery() as standby, current_setting('default_transaction_read_only') = 'on' as readonly,
    exists (select 1 from pg_catalog.pg_extension where extname = 'pg_trgm') as trigrams`;
const INDEXES = `select tables.relname::text as of, its.relname::text as name, indisvalid as usable
  from pg_catalog.pg_index join pg_catalog.pg_class as its on its.oid = indexrelid
    join pg_catalog.pg_class as tables on tables.oid = indrelid
    join pg_catalog.pg_namespace as schemas on schemas.oid = its.relnamespace
  where nspname = $1`;

interface Index {
  readonly of: string;
  readonly name: string;
  readonly usable: boolean;
}

/**
 * @param limit milliseconds, for the connection and for the answer
 * @throws what the database, or the way there, says
 */
export async function examineDatabase(options: PostgresOptions, limit: number): Promise<ExaminedDatabase> {
  return asking(options, limit, async (client) => {
    const { rows } = await client.query(QUESTION);
    const { now, trigrams, standby, readonly } = rows[0];
    const { rows: indexes } = await client.query<Index>(INDEXES, [options.schema]);
    return {
      ...{ now: Number(now), hasTrigrams: trigrams },
      ...{ isStandby: standby, isReadOnlyByDefault: readonly },
      ...partIndexesAmong(indexes),
    };
  });
}

/**
 * One document; undefined if there is none.
 * @param limit milliseconds, for the connection and for the answer
 * @throws what the database, or the way there, says
 */
export async function documentIn<T extends object>(
  options: PostgresOptions,
  limit: number,
  { bucket, key }: { readonly bucket: Bucket<T>; readonly key: string },
): Promise<T | undefined> {
  const { identifier } = postgresDialect(options.schema);
  const { table, values } = new Layout(bucket, identifier);
  return asking(options, limit, async (client) => {
    const [rows, documents] = [table, values].map(
      (name) => `${client.escapeIdentifier(options.schema)}.${client.escapeIdentifier(name)}`,
    );
    const { rows: there } = await client.query('select to_regclass($1) is not null as is', [rows]);
    if (!there[0].is) return undefined;
    const found = await client.query(`select value from ${rows} join ${documents} using (id) where key = $1`, [key]);
    const value = found.rows[0]?.value;
    return typeof value === 'string' ? JSON.parse(value) : value;
  });
}

async function asking<R>(
  { host, port, user, password, database, tls }: PostgresOptions,
  limit: number,
  ask: (client: Client) => Promise<R>,
): Promise<R> {
  const client = new Client({
    ...{ host, port, user, password, database },
    ssl: tls === undefined ? false : { ca: tls.ca, ...(tls.serverName && { servername: tls.serverName }) },
    application_name: 'imgapiadm',
    connectionTimeoutMillis: limit,
    query_timeout: limit,
  });
  // Whatever it says while the answer is read rejects that.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await ask(client);
  } catch (error) {
    throw passwordMissing(error) ?? error;
  } finally {
    void client.end().catch(() => undefined);
  }
}

/** Which fields are searched, only a running server knows; of a table that has one such index, it makes all kinds. */
function partIndexesAmong(indexes: readonly Index[]): Pick<ExaminedDatabase, 'unfinished' | 'missing' | 'finished'> {
  const usable = new Map(indexes.map(({ name, usable }) => [name, usable]));
  const tables = [...new Set(indexes.map((index) => index.of))].toSorted();
  const all = tables.flatMap((table) => {
    const ofTable = PART_INDEXES.map((kind) => ({ name: partIndexOf(table, kind), kind }));
    return ofTable.some(({ name }) => usable.has(name)) ? ofTable : [];
  });
  return {
    unfinished: all.filter(({ name }) => usable.get(name) === false),
    missing: all.filter(({ name }) => !usable.has(name)),
    finished: all.filter(({ name }) => usable.get(name) === true).length,
  };
}
