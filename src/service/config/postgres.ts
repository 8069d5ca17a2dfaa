/** The section `postgres`: the database, and how to reach it. */
import type { PostgresOptions } from '#lib/documents/postgres/options.ts';
import { kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost } from '#lib/network/listener-url.ts';
import { readCaFile } from './ca-file.ts';
import { ConfigError } from './config-error.ts';
import { problem } from './schema.ts';

export interface PostgresConfig {
  /** All of the following five in one. */
  readonly url?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly schema: string;
  readonly tls: boolean;
  /** PEM file of the CAs that may have signed the server's certificate. */
  readonly caFile?: string;
  readonly serverName?: string;
  readonly poolSize: number;
  readonly connectSeconds: number;
  readonly statementSeconds: number;
  readonly patienceSeconds: number;
  readonly preparedStatements: boolean;
}

/** What counts of the whole configuration. */
interface Around {
  readonly postgres?: PostgresConfig;
  readonly databaseType: string;
}

/** The parts of an address, each of which `url` has as well. */
const PARTS = ['host', 'port', 'user', 'password', 'database'] as const;
const PORT = 5432;
const NAME = 'imgapi';

type Address = Pick<PostgresOptions, 'host' | 'port' | 'user' | 'password' | 'database'>;

/** @throws ConfigError if the CA file cannot be read */
export async function postgresOptionsOf({ postgres }: Around): Promise<PostgresOptions> {
  if (!postgres) throw new ConfigError('configuration', ['postgres: missing; databaseType "postgres" needs it']);
  const { schema, tls, caFile, serverName, poolSize, preparedStatements } = postgres;
  const ca = caFile === undefined ? undefined : await readCaFile('postgres.caFile', caFile);
  return {
    ...addressOf(postgres),
    ...{ schema, poolSize, preparedStatements },
    ...(tls && { tls: { ...(ca !== undefined && { ca }), ...(serverName !== undefined && { serverName }) } }),
    connectMs: postgres.connectSeconds * 1000,
    statementMs: postgres.statementSeconds * 1000,
    patienceMs: postgres.patienceSeconds * 1000,
  };
}

function addressOf({
  url,
  host = 'localhost',
  port = PORT,
  user = NAME,
  password,
  database = NAME,
}: PostgresConfig): Address {
  if (url === undefined) return { host, port, user, database, ...(password !== undefined && { password }) };
  const parsed = new URL(url);
  const secret = decodeURIComponent(parsed.password);
  return {
    host: bareHost(parsed),
    port: parsed.port === '' ? PORT : Number(parsed.port),
    user: decodeURIComponent(parsed.username) || NAME,
    database: decodeURIComponent(parsed.pathname.slice(1)) || NAME,
    ...(secret !== '' && { password: secret }),
  };
}

/** Rules between the keys of the section, and with others. */
export function checkPostgres({ postgres, databaseType }: Around): string[] {
  if (databaseType !== 'postgres') return [];
  if (!postgres) return ['postgres: missing; databaseType "postgres" needs it'];
  const { url, tls, caFile } = postgres;
  const both = url === undefined ? [] : PARTS.filter((part) => postgres[part] !== undefined);
  return [
    ...both.map((part) => `postgres.${part}: postgres.url is given, which has it too; leave one of them out`),
    ...(caFile !== undefined && !tls ? [problem('postgres.tls', tls, 'true where there is a postgres.caFile')] : []),
  ];
}

/** What an operator should know about the way there. */
export function notesOnPostgres({ postgres, databaseType }: Around): string[] {
  if (!postgres) return [];
  if (databaseType !== 'postgres') return ['postgres: not used; databaseType does not name it'];
  const { host, password } = addressOf(postgres);
  const isHere = host.startsWith('/') || host === 'localhost' || kindOfAddress(host) === 'loopback';
  if (postgres.tls || isHere) return [];
  const secrets = password === undefined ? 'all records' : 'all records, and proof of the password,';
  return [`postgres.tls: without it ${secrets} pass the network in the clear`];
}
