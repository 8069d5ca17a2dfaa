/** The engines that the servers under test stand on: Debian's, or what npm alone has. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fromDebian, fromNpm } from '../../engines/postgres/installation.ts';
import { type PostgresServer, startPostgres } from '../../engines/postgres/server.ts';
import { radosgwAbsent, startRadosgw } from '../../engines/radosgw.ts';
import type { S3Server } from '../../engines/s3.ts';

/** Of a machine that is there for the database: what a fresh installation has is meant for the smallest ones. */
const SETTINGS = {
  shared_buffers: '1GB',
  effective_cache_size: '4GB',
  max_wal_size: '8GB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // On a SSD.
  random_page_cost: '1.1',
} as const;

export interface Postgres {
  readonly name: string;
  readonly server: PostgresServer;
  /** Keys of a service that keeps its documents there, in a schema of its own. */
  keys(schema: string): object;
}

export async function startDatabase(): Promise<Postgres> {
  const installation = fromDebian.absent?.() === undefined ? fromDebian : fromNpm;
  const server = await startPostgres(installation, SETTINGS);
  const name = installation === fromDebian ? installation.name : `${installation.name} of npm`;
  return {
    name,
    server,
    keys: (schema) => ({
      databaseType: 'postgres',
      postgres: { host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres', schema },
    }),
  };
}

export interface Objects {
  readonly name: string;
  readonly server: ObjectServer;
  /** Keys of a service that keeps its files there. */
  readonly keys: object;
}

type ObjectServer = Pick<S3Server, 'settings' | 'close'>;

export async function startObjects(): Promise<Objects> {
  const isThere = radosgwAbsent() === undefined;
  const server = isThere ? await startRadosgw() : await startDoubleApart();
  return { name: isThere ? 'radosgw' : 'a double of S3', server, keys: keysFor(server) };
}

/** Of a service that keeps its files there. */
export function keysFor({ settings }: ObjectServer): object {
  const { endpoint, region, bucket, credentials } = settings;
  return { storageTypes: ['s3'], s3: { endpoint, region, bucket, prefix: 'bench', ...credentials } };
}

/** Not in this process: it would have to share its time with the client. */
export async function startDoubleApart(): Promise<ObjectServer> {
  const script = new URL('s3-double.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    settings: JSON.parse(line) as S3Server['settings'],
    async close() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
