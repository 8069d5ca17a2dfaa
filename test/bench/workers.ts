/**
 * GetImage by one worker and by two, on SQLite. Whoever makes the requests needs the same cores: so half a machine is
 * compared with all of it, one worker and its load on one core with two workers and theirs on two. How much more two
 * cores do than one depends on the machine, whose cores may share what is in them: so the second line is what two servers
 * do that know nothing of each other. The last one pins nothing, so that there one worker has the second core's help.
 */
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { childrenOf, cpuSeconds } from './cpu.ts';
import { SECONDS } from './extent.ts';
import { load } from './load.ts';
import { compareWithAll, type Figure, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, type ServerOptions, startServer, untilAtRest } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';

const IMAGES = 10_000;
const LEAST = 1.7;

/** A server, and where it and its load run. */
interface Fleet extends Pick<ServerOptions, 'workers'> {
  /** A worker, and as many requests as it serves, on each; absent: wherever the system puts them. */
  readonly cores?: readonly string[];
}

const ONE: Fleet = { cores: ['0'] };
const OTHER_ONE: Fleet = { cores: ['1'] };
const TWO: Fleet = { workers: 2, cores: ['0', '1'] };
const FREE_ONE: Fleet = {};
const FREE_TWO: Fleet = { workers: 2 };

/** Fleets that serve at the same time, and what is compared with them. */
interface Beside extends Pick<Figure, 'against' | 'target'> {
  readonly fleets: readonly Fleet[];
}

const PINNED: readonly Beside[] = [
  { fleets: [ONE], against: '1 with its load on 1 core', target: LEAST },
  { fleets: [ONE, OTHER_ONE], against: '2 servers, each on a core', target: LEAST / 2 },
];

export async function* benchWorkers(plan: Plan): Results {
  const dataDir = join(plan.directory, 'workers');
  await rm(dataDir, { recursive: true, force: true });
  await (await startServer({ name: 'bench-1', dataDir })).stop();
  fillSqlite(dataDir, IMAGES);
  const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['-V']).error === undefined;
  const name = 'GetImage, 2 workers on 2 cores';
  if (canPin) yield* await compareFleets(plan, dataDir, name, TWO, PINNED);
  else yield { name, skipped: 'needs two cores, and taskset' };
  const free = [{ fleets: [FREE_ONE], against: '1 worker' }];
  yield* await compareFleets(plan, dataDir, 'GetImage, 2 workers, nothing pinned', FREE_TWO, free);
}

async function compareFleets(
  { runs, profile }: Plan,
  dataDir: string,
  name: string,
  ours: Fleet,
  beside: readonly Beside[],
): Promise<Figure[]> {
  const started = new Map<Fleet, Running>();
  const serversOf = (fleets: readonly Fleet[]): [Running, Fleet][] =>
    fleets.flatMap((fleet) => {
      const server = started.get(fleet);
      return server ? [[server, fleet]] : [];
    });
  try {
    for (const fleet of new Set([ours, ...beside.flatMap(({ fleets }) => fleets)])) {
      started.set(fleet, await start(fleet, { name: 'bench-1', dataDir, ...(profile ? { profile } : {}) }));
    }
    await untilAtRest([...started.values()].map(({ pid }) => pid));
    const references = beside.map(({ fleets, ...shown }) => ({ ...shown, side: () => served(serversOf(fleets)) }));
    const shown = { name, unit: 'requests/s', asideUnit: 'µs of CPU', runs };
    return await compareWithAll(shown, () => served(serversOf([ours])), references);
  } finally {
    for (const server of started.values()) await server.stop();
  }
}

async function start({ workers, cores }: Fleet, options: ServerOptions): Promise<Running> {
  const where = cores ? { cpus: cores.join() } : {};
  const server = await startServer({ ...options, ...where, ...(workers && { workers }) });
  if (workers && cores) {
    // Or the system moves them about, and none finds its data in a cache.
    for (const [at, pid] of (await childrenOf(server.pid)).entries()) {
      spawnSync('taskset', ['-acp', cores[at % cores.length] ?? '', String(pid)]);
    }
  }
  return server;
}

async function served(servers: readonly [Running, Fleet][]): Promise<Sample> {
  const pids = servers.map(([{ pid }]) => pid);
  const paths = { prefix: '/images/', kind: 'uuid', count: IMAGES } as const;
  const before = await cpuSeconds(...pids);
  const all = await Promise.all(
    servers.flatMap(([{ url }, { cores = [undefined] }]) =>
      cores.map((cpus) => load({ url, paths, seconds: SECONDS, pids: [], ...(cpus && { cpus }) })),
    ),
  );
  const spent = (await cpuSeconds(...pids)) - before;
  const value = all.reduce((sum, { perSecond }) => sum + perSecond, 0);
  return { value, aside: (spent / (value * SECONDS)) * 1e6 };
}
