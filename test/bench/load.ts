/** Requests as fast as they are answered, by wrk; by autocannon, which takes more of the processors, where wrk is not. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import autocannon from 'autocannon';
import { cpuSeconds } from './cpu.ts';
import { uuidOf } from './many-images.ts';

/** Every request asks for `prefix` with one of `count` UUIDs or numbers behind it, or for the same path. */
export interface Paths {
  readonly prefix: string;
  readonly kind?: 'uuid' | 'number';
  readonly count?: number;
  /** UUIDs of each so many-th image only. Default: of all. */
  readonly step?: number;
}

export interface Load {
  readonly url: string;
  readonly paths: Paths;
  /** With wrk also less than one. */
  readonly seconds: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Processes that serve, with all below them. */
  readonly pids: readonly number[];
  /** CPUs that the generator may use, as of taskset. Default: all. */
  readonly cpus?: string;
}

export interface Served {
  readonly requests: number;
  readonly perSecond: number;
  /** Microseconds of CPU that the servers took for each request. */
  readonly cpuEach: number;
  /** Milliseconds in which 99 of 100 were answered. */
  readonly late: number;
}

/** What wrk or autocannon tell. */
interface Told {
  readonly requests: number;
  readonly seconds: number;
  readonly bad: number;
  readonly errors: number;
  readonly late: number;
}

const CONNECTIONS = 16;
/** Seconds that an answer may take. */
const PATIENCE = 10;
const SCRIPT = new URL('random-paths.lua', import.meta.url).pathname;
const hasWrk = spawnSync('wrk', ['-v']).error === undefined;

/** For the head of the table. */
export const GENERATOR = hasWrk ? 'wrk' : 'autocannon (wrk is not installed)';

/** @throws if any request was not answered by 2xx */
export async function load(plan: Load): Promise<Served> {
  const before = await cpuSeconds(...plan.pids);
  const told = await (hasWrk ? byWrk(plan) : byAutocannon(plan));
  const spent = (await cpuSeconds(...plan.pids)) - before;
  const { requests, seconds, bad, errors, late } = told;
  // On a machine that has much else to do, the first answer may take longer than the whole load.
  if (requests + bad + errors === 0 && plan.seconds < PATIENCE) return load({ ...plan, seconds: plan.seconds * 2 });
  if (bad > 0 || errors > 0 || requests === 0) {
    throw new Error(`${plan.url}${plan.paths.prefix}: ${requests} answers, ${bad} bad ones, ${errors} errors`);
  }
  return { requests, perSecond: requests / seconds, cpuEach: (spent / requests) * 1e6, late };
}

async function byWrk({ url, paths, seconds, cpus, headers = {} }: Load): Promise<Told> {
  const { prefix, kind = 'same', count = 1, step = 1 } = paths;
  const withHeaders = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const given = [
    '-t',
    '1',
    '-c',
    String(CONNECTIONS),
    '-d',
    `${Math.ceil(seconds)}s`,
    '--timeout',
    `${PATIENCE}s`,
    ...withHeaders,
    '-s',
    SCRIPT,
    url,
    '--',
  ];
  const asked = [prefix, kind, String(count), String(step)];
  const [program = '', ...args] = [...(cpus ? ['taskset', '-c', cpus] : []), 'wrk', ...given, ...asked];
  const running = promisify(execFile)(program, args, { timeout: (seconds + 60) * 1000 });
  // It counts in whole seconds, but tells what it has when it is interrupted. It says when it begins.
  const interrupt = () => setTimeout(() => running.child.kill('SIGINT'), seconds * 1000);
  if (!Number.isInteger(seconds)) running.child.stderr?.once('data', interrupt);
  const { stdout } = await running;
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Told;
}

async function byAutocannon({ url, paths, seconds, headers = {} }: Load): Promise<Told> {
  const setupRequest = (request: autocannon.Request): autocannon.Request => ({
    ...request,
    path: anyOf(paths),
    headers: { ...request.headers, ...headers },
  });
  const duration = Math.ceil(seconds);
  const result = await autocannon({ url, connections: CONNECTIONS, duration, requests: [{ setupRequest }] });
  return {
    requests: result['2xx'],
    seconds: result.duration,
    bad: result.non2xx,
    errors: result.errors,
    late: result.latency.p99,
  };
}

function anyOf({ prefix, kind, count = 1, step = 1 }: Paths): string {
  const index = Math.floor((Math.random() * count) / step) * step;
  if (kind === undefined) return prefix;
  return prefix + (kind === 'uuid' ? uuidOf(index) : index);
}
