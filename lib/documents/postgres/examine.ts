/** Looks at a database without being one of the processes that use it: nothing is made, upgraded or waited for. */
import { Client } from 'pg';
import type { PostgresOptions } from './options.ts';

export interface ExaminedDatabase {
  /** Milliseconds since the epoch, by the clock of the database. */
  readonly now: number;
  /** Whether parts of texts can be indexed there. */
  readonly hasTrigrams: boolean;
  /** Indexes of parts of texts that were begun and cannot be used yet. */
  readonly unfinished: readonly string[];
  /** How many of them can. */
  readonly finished: number;
}

const QUESTION = `select extract(epoch from clock_timestamp()) * 1000 as now,
    exists (select 1 from pg_catalog.pg_extension where extname = 'pg_trgm') as trigrams,
    coalesce(array_agg(relname::text) filter (where not indisvalid), '{}') as unfinished,
    count(*) filter (where indisvalid) as finished
  from pg_catalog.pg_index join pg_catalog.pg_class as its on its.oid = indexrelid
    join pg_catalog.pg_namespace as schemas on schemas.oid = relnamespace
  where nspname = $1 and relname like '%$$parts'`;

/**
 * @param limit milliseconds, for the connection and for the answer
 * @throws what the database, or the way there, says
 */
export async function examineDatabase(options: PostgresOptions, limit: number): Promise<ExaminedDatabase> {
  const { host, port, user, password, database, schema, tls } = options;
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
    const { rows } = await client.query(QUESTION, [schema]);
    const { now, trigrams, unfinished, finished } = rows[0];
    return { now: Number(now), hasTrigrams: trigrams, unfinished, finished: Number(finished) };
  } finally {
    void client.end().catch(() => undefined);
  }
}
