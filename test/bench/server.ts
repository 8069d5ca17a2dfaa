/** The servers under test, each a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN, writeAccounts } from '../helpers/accounts.ts';
import { freePort } from '../helpers/free-port.ts';
import { cpuSeconds } from './cpu.ts';
import { QUICK } from './extent.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
/** A server is at rest if it takes less of a processor than this, and is waited for so long. */
const REST = 0.1;
const REST_MS = QUICK ? 3000 : 90_000;
const LOOK_MS = QUICK ? 400 : 1000;

export interface Running {
  readonly url: string;
  readonly linksUrl: string | undefined;
  readonly dataDir: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface ServerOptions {
  readonly name: string;
  readonly dataDir: string;
  /** Folder for a CPU profile, written when the server ends. */
  readonly profile?: string;
  /** More of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** More options of node. */
  readonly flags?: readonly string[];
  /** Keys beside those that every server here has. */
  readonly keys?: object;
  readonly workers?: number;
}

export async function startServer(options: ServerOptions): Promise<Running> {
  const { name, dataDir, profile, flags = [], keys = {}, workers, ...where } = options;
  await mkdir(dataDir, { recursive: true });
  const port = await freePort();
  const config = {
    mode: 'dc',
    authType: 'none',
    datacenterName: name,
    adminUuid: ADMIN,
    address: '127.0.0.1',
    port: 0,
    dataDir,
    accounts: { file: await writeAccounts(dataDir) },
    // The same image is copied again and again, and gigabytes that can be restored would fill the disk.
    images: { keepDeletedSeconds: 0 },
    links: { address: '127.0.0.1', port },
    ...keys,
  };
  // Several servers may have one folder.
  const file = join(dataDir, `config-${port}.json`);
  await writeFile(file, JSON.stringify(config));
  const profiling = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const many = workers === undefined ? [] : ['--workers', String(workers)];
  const args = [...profiling, ...flags, 'src/main.ts', '-f', file, ...many];
  return run(args, /listens on (\S+), links on ([^\s,]+)/, dataDir, where);
}

/** What restify alone makes of the machine. */
export function startBareRestify(): Promise<Running> {
  return run(['test/bench/bare-restify.ts'], /listens on (\S+)()/, '');
}

/** Waits until the servers do nothing: after a start there is work that is due. Gives up where it does not end. */
export async function untilAtRest(pids: readonly number[]): Promise<void> {
  const end = performance.now() + REST_MS;
  for (let before = await cpuSeconds(...pids); ; ) {
    await sleep(LOOK_MS);
    const now = await cpuSeconds(...pids);
    if (now - before < (REST * LOOK_MS) / 1000 || performance.now() > end) return;
    before = now;
  }
}

async function run(
  args: readonly string[],
  listening: RegExp,
  dataDir: string,
  { env }: Pick<ServerOptions, 'env'> = {},
): Promise<Running> {
  const child = spawn(process.execPath, [...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'ignore'],
    // As node-24 has it, by which service managers and people start a server.
    env: { NODE_COMPILE_CACHE: join(ROOT, 'build/compile-cache'), ...process.env, ...env },
  });
  const line = await firstLine(child);
  const match = listening.exec(line);
  if (!match?.[1] || child.pid === undefined) throw new Error(`${args.join(' ')} did not start: ${line}`);
  return { url: match[1], linksUrl: match[2] || undefined, dataDir, pid: child.pid, stop: () => stop(child) };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit').then(([code]) => `it exited with status ${code}`);
  const line = await Promise.race([once(lines, 'line').then(([text]) => String(text)), exited]);
  child.stdout.resume();
  return line;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
