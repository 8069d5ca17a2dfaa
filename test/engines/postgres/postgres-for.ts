/**
 * A place of its own on a PostgreSQL server for each test: a role, and a schema that belongs to it. The server is
 * started when a test file first asks for it, and stopped when the file ends.
 */
import { type Test, t as wholeFile } from 'tap';
import type { PostgresOptions } from '#lib/documents/postgres/options.ts';
import { waitFor } from '../../helpers/wait.ts';
import { fromDebian, fromNpm, type Installation } from './installation.ts';
import { type PgBouncer, pgBouncerAbsent, startPgBouncer } from './pgbouncer.ts';
import { type PostgresServer, startPostgres } from './server.ts';

export interface PostgresPlace {
  readonly options: PostgresOptions;
  /** Of a service that keeps its documents here. */
  readonly keys: { readonly databaseType: 'postgres'; readonly postgres: Readonly<Record<string, unknown>> };
  readonly server: PostgresServer;
  readonly bouncer: PgBouncer | undefined;
}

export interface PostgresKind {
  readonly name: string;
  readonly absent?: () => string | undefined;
  /** What is left there when the test ends is a failure. */
  readonly placeFor: (t: Test) => Promise<PostgresPlace>;
}

interface Servers {
  readonly server: PostgresServer;
  readonly bouncer: PgBouncer | undefined;
}

const DATABASE = 'postgres';
let places = 0;

function kind(name: string, installation: Installation, isPooled: boolean): PostgresKind {
  let servers: Promise<Servers> | undefined;
  const start = async (): Promise<Servers> => {
    const server = await startPostgres(installation);
    wholeFile.teardown(() => server.remove());
    const bouncer = isPooled ? await startPgBouncer(server.port) : undefined;
    if (bouncer !== undefined) wholeFile.teardown(() => bouncer.remove());
    return { server, bouncer };
  };
  return {
    name,
    absent: () => installation.absent?.() ?? (isPooled ? pgBouncerAbsent() : undefined),
    async placeFor(t) {
      servers ??= start();
      return makePlace(t, await servers);
    },
  };
}

export const postgresKinds = {
  npm: kind('PostgreSQL', fromNpm, false),
  debian: kind('PostgreSQL 15', fromDebian, false),
  pooled: kind('PostgreSQL 15 behind PgBouncer', fromDebian, true),
} as const;

/** On the server that needs npm packages alone. */
export function postgresFor(t: Test): Promise<PostgresPlace> {
  return postgresKinds.npm.placeFor(t);
}

async function makePlace(t: Test, { server, bouncer }: Servers): Promise<PostgresPlace> {
  places += 1;
  const name = `place_${places}`;
  await server.query(`create role ${name} login`);
  await server.query(`create schema ${name} authorization ${name}`);
  t.teardown(async () => {
    try {
      await assertNothingLeft(server, name, bouncer !== undefined);
    } finally {
      await server.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [name]);
      await server.query(`drop schema ${name} cascade`);
      await server.query(`drop role ${name}`);
    }
  });
  const host = '127.0.0.1';
  const port = bouncer?.port ?? server.port;
  const options: PostgresOptions = {
    host,
    port,
    user: name,
    database: DATABASE,
    schema: name,
    poolSize: 5,
    connectMs: 5000,
    statementMs: 10_000,
    patienceMs: 10_000,
    preparedStatements: true,
  };
  const keys = { host, port, user: name, database: DATABASE, schema: name, poolSize: 5 };
  return { options, keys: { databaseType: 'postgres', postgres: keys }, server, bouncer };
}

/** Connections that are still open (PgBouncer keeps idle ones), and tables that belong to no bucket. */
async function assertNothingLeft(server: PostgresServer, name: string, isPooled: boolean): Promise<void> {
  const open = `select count(*)::int as count from pg_stat_activity
    where usename = $1 ${isPooled ? "and state <> 'idle'" : ''}`;
  await waitFor(
    `the connections of ${name} to close`,
    async () => (await server.query(open, [name]))[0]?.['count'] === 0,
    10_000,
  );
  const tables = (await server.query('select tablename from pg_tables where schemaname = $1', [name])).map(
    ({ tablename }) => String(tablename),
  );
  const known = tables.includes('buckets')
    ? await server.query(
        `select declaration::jsonb->>'name' || '$' || (declaration::jsonb->>'version') as prefix from ${name}.buckets`,
      )
    : [];
  const prefixes = known.map(({ prefix }) => String(prefix));
  const strangers = tables.filter(
    (table) =>
      !['buckets', 'batches'].includes(table) &&
      !prefixes.some((prefix) => table === prefix || table.startsWith(`${prefix}$`)),
  );
  if (strangers.length > 0) throw new Error(`tables of no bucket are left: ${strangers.join(', ')}`);
}
