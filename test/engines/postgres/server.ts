/** A PostgreSQL server for tests: on loopback, with its data in a temporary folder that goes with it. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { freePort } from '../../helpers/free-port.ts';
import { waitFor } from '../../helpers/wait.ts';
import { marks } from '../../runner/own-run.ts';
import type { Installation } from './installation.ts';

export const SUPERUSER = 'postgres';
/** PostgreSQL refuses to run as root; nobody is on every system. */
const NOBODY = 65_534;

type Settings = Readonly<Record<string, string>>;

const SETTINGS: Settings = {
  listen_addresses: '127.0.0.1',
  // A test's machine does not lose its power.
  fsync: 'off',
  max_connections: '300',
  deadlock_timeout: '200ms',
  log_min_messages: 'panic',
  autovacuum: 'off',
};

export interface PostgresServer {
  readonly port: number;
  readonly socketFolder: string;
  /** Of its first process, which all others are children of; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Runs statements as the superuser. */
  query(sql: string, values?: readonly unknown[], database?: string): Promise<Record<string, unknown>[]>;
  /** `immediate` is what a crash is like. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
  /** The same data at the same port. */
  start(): Promise<void>;
  /** Starts it again as a standby, which nobody can write to until it is promoted: `select pg_promote()`. */
  standBy(): Promise<void>;
  /** Sent to all its processes: STOP makes a server that hangs. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Stops it and removes all of it. */
  remove(): Promise<void>;
}

/** For programs that refuse to run as root. */
export function asNobody(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
}

/** A folder that the servers' user may write to. */
export async function serverFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `imgapi-${name}-`));
  const { uid, gid } = asNobody();
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid);
  return folder;
}

/** @param settings of postgresql.conf */
export async function startPostgres(installation: Installation, settings: Settings = {}): Promise<PostgresServer> {
  const folder = await serverFolder('postgres');
  const programs = await installation.prepare(folder);
  const data = join(folder, 'data');
  const user = asNobody();
  const environment = { LANG: 'C', ...marks() };
  const init = ['-D', data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
  await promisify(execFile)(join(programs, 'initdb'), init, { ...user, env: environment, cwd: folder });
  const server = new Server(folder, programs, await freePort(), settings);
  await server.start();
  return server;
}

class Server implements PostgresServer {
  readonly port: number;
  readonly socketFolder: string;
  readonly #programs: string;
  readonly #settings: Settings;
  #process: ChildProcess | undefined;

  constructor(folder: string, programs: string, port: number, settings: Settings) {
    this.socketFolder = folder;
    this.#programs = programs;
    this.port = port;
    this.#settings = settings;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    const settings = Object.entries({
      ...SETTINGS,
      ...this.#settings,
      port: String(this.port),
      unix_socket_directories: this.socketFolder,
    });
    const given = settings.flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    this.#process = spawn(join(this.#programs, 'postgres'), ['-D', join(this.socketFolder, 'data'), ...given], {
      ...asNobody(),
      env: { LANG: 'C', ...marks() },
      cwd: this.socketFolder,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    await waitFor('PostgreSQL to answer', () => this.query('select 1').catch(() => undefined));
  }

  async query(sql: string, values: readonly unknown[] = [], database = 'postgres') {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: SUPERUSER, database });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query(sql, [...values]);
      return rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  async stop(how: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  }

  async standBy(): Promise<void> {
    await this.stop();
    await writeFile(join(this.socketFolder, 'data', 'standby.signal'), '');
    await this.start();
  }

  async signal(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    // Those that serve connections are children of the first one.
    const { stdout } = await promisify(execFile)('ps', ['--ppid', String(pid), '-o', 'pid=']);
    const children = stdout.trim().split(/\s+/).map(Number);
    for (const one of [pid, ...children]) process.kill(one, signal);
  }

  async remove(): Promise<void> {
    await this.stop('immediate');
    await rm(this.socketFolder, { recursive: true, force: true });
  }
}
