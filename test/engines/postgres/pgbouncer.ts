/** PgBouncer for tests: each transaction gets any connection to the server that is free. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../helpers/free-port.ts';
import { waitFor } from '../../helpers/wait.ts';
import { marks } from '../../runner/own-run.ts';
import { asNobody, SUPERUSER, serverFolder } from './server.ts';

const PROGRAM = '/usr/sbin/pgbouncer';

export function pgBouncerAbsent(): string | undefined {
  return existsSync(PROGRAM) ? undefined : `${PROGRAM} is not there`;
}

export interface PgBouncer {
  readonly port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

function settings(port: number, target: number, folder: string): string {
  return `[databases]
* = host=127.0.0.1 port=${target}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir = ${folder}
auth_type = trust
auth_file = ${join(folder, 'users.txt')}
auth_user = ${SUPERUSER}
admin_users = ${SUPERUSER}
pool_mode = transaction
max_client_conn = 500
default_pool_size = 8
server_login_retry = 1
`;
}

/** @param target port of the server behind it */
export async function startPgBouncer(target: number): Promise<PgBouncer> {
  const folder = await serverFolder('pgbouncer');
  const port = await freePort();
  await writeFile(join(folder, 'pgbouncer.ini'), settings(port, target, folder));
  await writeFile(join(folder, 'users.txt'), `"${SUPERUSER}" ""\n`);
  let child: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
    child = undefined;
  };
  const start = async (): Promise<void> => {
    child = spawn(PROGRAM, ['-q', join(folder, 'pgbouncer.ini')], {
      ...asNobody(),
      env: marks(),
      cwd: folder,
      stdio: 'ignore',
    });
    await waitFor('PgBouncer to answer', () => answers(port));
  };
  await start();
  return {
    port,
    start,
    stop,
    async remove() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const client = new Client({ host: '127.0.0.1', port, user: SUPERUSER, database: 'postgres' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
