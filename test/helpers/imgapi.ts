/** Real IMGAPI servers for tests: in the test's own process, or as processes that can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import bunyan from 'bunyan';
import type { Test } from 'tap';
import type { ImgapiClientOptions } from '#lib/client/caller.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import { type Imgapi, startImgapi } from '#src/app.ts';
import { loadConfig } from '#src/service/config/load.ts';
import type { Stores } from '../doubles/stores.ts';
import { ADMIN, writeAccounts } from './accounts.ts';
import { asStarted } from './as-started.ts';
import { checkedChild } from './contract/child.ts';
import { LINK, MAIN } from './contract/contracts.ts';
import { holdToContract } from './contract/in-process.ts';
import { databaseKeys } from './database.ts';

export type ConfigKeys = Readonly<Record<string, unknown>>;

export interface TestServer {
  readonly url: string;
  readonly linksUrl: string | undefined;
  readonly dataDir: string;
  readonly accountsFile: string;
  /** A client of this server; closed with the test. */
  client(options?: Partial<ImgapiClientOptions>): ImgapiClient;
}

export interface InProcess extends TestServer {
  readonly imgapi: Imgapi;
}

/** Copies retry and report quickly, so that tests do not wait for timers. */
const BRISK: ConfigKeys = {
  logLevel: 'fatal',
  address: '127.0.0.1',
  port: 0,
  copies: { leaseSeconds: 3, heartbeatSeconds: 0.5, stallSeconds: 5, retryDelay: { min: 0.1, max: 1 } },
  tasks: { leaseSeconds: 3 },
  // What is deleted is gone, unless a test is about keeping it.
  images: { keepDeletedSeconds: 0 },
};

/** A folder that is removed when the test ends. */
export async function temporaryFolder(t: Test, name = 'imgapi-test'): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `${name}-`));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** `dc` mode with the test cloud's accounts, unless `keys` say otherwise. */
export async function configKeys(dataDir: string, keys: ConfigKeys = {}): Promise<ConfigKeys> {
  await mkdir(dataDir, { recursive: true });
  const { accounts, ...rest } = keys;
  const file = await writeAccounts(dataDir);
  return {
    mode: 'dc',
    authType: 'none',
    datacenterName: 'test-1',
    adminUuid: ADMIN,
    dataDir,
    ...BRISK,
    ...rest,
    accounts: { file, cacheSeconds: 1, ...(accounts as object | undefined) },
    copies: { ...(BRISK['copies'] as object), ...(rest['copies'] as object | undefined) },
  };
}

export interface InProcessOptions {
  readonly dataDir?: string;
  readonly clock?: Clock;
  readonly fault?: string;
  /** Object stores other than those that the configuration would give. */
  readonly stores?: Stores;
}

export async function startInProcess(
  t: Test,
  keys: ConfigKeys = {},
  options: InProcessOptions = {},
): Promise<InProcess> {
  const dataDir = options.dataDir ?? (await temporaryFolder(t));
  const merged = await configKeys(dataDir, await databaseKeys(t, dataDir, keys));
  const { config: loaded } = await loadConfig(undefined, merged);
  const { stores } = options;
  const config = stores ? { ...loaded, storageTypes: stores.types } : loaded;
  const log = bunyan.createLogger({
    name: 'imgapi',
    level: (process.env['TEST_LOG'] ?? 'fatal') as bunyan.LogLevel,
    stream: process.stderr,
  });
  const imgapi = await startImgapi(config, {
    log,
    ...(options.clock ? { clock: options.clock } : {}),
    ...(options.fault ? { fault: options.fault } : {}),
    ...(stores && { openObjects: stores.open }),
  });
  t.teardown(() => imgapi.close({ patience: 0 }));
  const { url, linksUrl } = imgapi;
  holdToContract(t, url, MAIN);
  if (linksUrl !== undefined) holdToContract(t, linksUrl, LINK);
  return { imgapi, url, linksUrl, dataDir, accountsFile: config.accounts.file, client: clientsOf(t, url) };
}

export interface Spawned extends TestServer {
  readonly configFile: string;
  readonly process: ChildProcess;
  /** Resolves when the process has ended, for whatever reason. */
  readonly gone: Promise<unknown>;
  /** Sends SIGKILL; resolves when the process has ended. */
  kill(): Promise<void>;
  /** Sends SIGTERM; returns the exit code. */
  stop(): Promise<number | null>;
}

export interface SpawnOptions {
  readonly dataDir?: string;
  /** `IMGAPI_FAULT`, see src/service/fault-points.ts. */
  readonly fault?: string;
  /** For a restart on the same ports. */
  readonly port?: number;
  readonly linksPort?: number;
  /** Milliseconds by which its own clock is ahead of ours, because it is set wrong. */
  readonly ahead?: number;
  /** Milliseconds that have passed for the process and its database. */
  readonly later?: number;
  /** Maximum number of descriptors that it may have open. */
  readonly descriptors?: number;
  /** URLs of modules that it loads before its own code. */
  readonly preload?: readonly string[];
  /** Options of node. */
  readonly nodeOptions?: readonly string[];
  /** Started without the settings that it gives itself then. */
  readonly bare?: true;
  /** Its arguments beyond the configuration. */
  readonly args?: readonly string[];
  /** What it logs, as it is written. */
  readonly onLog?: (text: string) => void;
  /** Its answers are not checked, because time or memory is measured. */
  readonly unchecked?: true;
  /** Gets the process before it listens. */
  readonly onSpawn?: (child: ChildProcess) => void;
}

const CLOCK_AHEAD = new URL('clock-ahead.ts', import.meta.url).href;

/** Runs `node src/main.ts` with a config file below `dataDir`. */
export async function spawnImgapi(t: Test, keys: ConfigKeys = {}, options: SpawnOptions = {}): Promise<Spawned> {
  const dataDir = options.dataDir ?? (await temporaryFolder(t));
  const merged: Record<string, unknown> = {
    ...(await configKeys(dataDir, await databaseKeys(t, dataDir, keys))),
  };
  if (options.port !== undefined) merged['port'] = options.port;
  if (options.linksPort !== undefined) merged['links'] = { ...(merged['links'] as object), port: options.linksPort };
  const configFile = join(dataDir, `config.${process.pid}.${Date.now()}.${Math.random().toString(36).slice(2)}.json`);
  await writeFile(configFile, JSON.stringify(merged, null, 2));
  const { ahead = 0, later = 0 } = options;
  const contract = options.unchecked ? undefined : checkedChild(t);
  const preload = [
    ...(contract ? [contract.preload] : []),
    ...(ahead === 0 && later === 0 ? [] : [CLOCK_AHEAD]),
    ...(options.preload ?? []),
  ];
  // tap's own command, by which somebody may run the test, loads itself into every node process through NODE_OPTIONS.
  const { descriptors, nodeOptions = [] } = options;
  const given = asStarted(options.bare);
  const limited = descriptors === undefined ? [] : ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'];
  const command = [
    '-u',
    'NODE_OPTIONS',
    ...limited,
    process.execPath,
    ...given.options,
    ...nodeOptions,
    ...preload.flatMap((url) => ['--import', url]),
    'src/main.ts',
    '-f',
    configFile,
    ...(options.args ?? []),
  ];
  const child = spawn('/usr/bin/env', command, {
    cwd: new URL('../..', import.meta.url).pathname,
    stdio: ['ignore', 'pipe', options.onLog ? 'pipe' : process.env['TEST_LOG'] ? 'inherit' : 'ignore'],
    env: {
      ...process.env,
      ...given.env,
      IMGAPI_FAULT: options.fault ?? '',
      TEST_CLOCK_AHEAD: String(ahead),
      TEST_CLOCK_LATER: String(later),
      ...contract?.env,
    },
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => options.onLog?.(text));
  options.onSpawn?.(child);
  const exited = once(child, 'exit');
  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      // A paused process handles SIGTERM only after it is resumed.
      child.kill('SIGCONT');
    }
    await exited;
    return child.exitCode;
  };
  t.teardown(() => kill());
  const line = await firstLine(child);
  const match = /listens on (http:\S+?)(?:, links on (http:\S+?))?, data/.exec(line);
  if (!match?.[1]) throw new Error(`the server did not start: ${line}`);
  const accountsFile = (merged['accounts'] as { file: string }).file;
  return {
    url: match[1],
    linksUrl: match[2],
    dataDir,
    configFile,
    accountsFile,
    process: child,
    gone: exited,
    client: clientsOf(t, match[1]),
    kill: async () => void (await kill()),
    stop: () => kill('SIGTERM'),
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no standard output');
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, 'line').then(([first]) => String(first)),
    once(child, 'exit').then(() => '(exited)'),
  ]);
  child.stdout.resume();
  return line;
}

function clientsOf(t: Test, url: string): TestServer['client'] {
  return (options = {}) => {
    const client = new ImgapiClient({ url, ...options });
    t.teardown(() => client.destroy());
    return client;
  };
}
