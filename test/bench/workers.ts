/**
 * GetImage by one worker and by two, on SQLite. Whoever makes the requests needs the same cores: so half a machine is
 * compared with all of it, one worker and its load on one core with two workers and theirs on two. The other line pins
 * nothing, so that there one worker has the second core's help with the load.
 */
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { load } from './load.ts';
import { compare, type Figure, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, type ServerOptions, startServer, untilAtRest } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';

const IMAGES = 10_000;
const SECONDS = 3;
const LEAST = 1.7;

interface Fleet extends Pick<ServerOptions, 'workers' | 'cpus'> {
  /** Threads that make requests. */
  readonly threads: number;
}

const PINNED: readonly Fleet[] = [
  { cpus: '0', threads: 1 },
  { workers: 2, cpus: '0,1', threads: 2 },
];
const FREE: readonly Fleet[] = [{ threads: 1 }, { workers: 2, threads: 1 }];

export async function* benchWorkers(plan: Plan): Results {
  const dataDir = join(plan.directory, 'workers');
  await rm(dataDir, { recursive: true, force: true });
  await (await startServer({ name: 'bench-1', dataDir })).stop();
  await fillSqlite(dataDir, IMAGES);
  const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['-V']).error === undefined;
  const name = 'GetImage, 2 workers on 2 cores';
  yield canPin
    ? await compareFleets(plan, dataDir, PINNED, { name, against: '1 with its load on 1 core', target: LEAST })
    : { name, skipped: 'needs two cores, and taskset' };
  const shown = { name: 'GetImage, 2 workers, nothing pinned', against: '1 worker' };
  yield await compareFleets(plan, dataDir, FREE, shown);
}

async function compareFleets(
  { runs, profile }: Plan,
  dataDir: string,
  fleets: readonly Fleet[],
  shown: Pick<Figure, 'name' | 'against' | 'target'>,
): Promise<Figure> {
  const started: [Running, Fleet][] = [];
  try {
    for (const fleet of fleets) {
      const { threads: _, ...how } = fleet;
      started.push([await startServer({ name: 'bench-1', dataDir, ...how, ...(profile ? { profile } : {}) }), fleet]);
    }
    await untilAtRest(started.map(([{ pid }]) => pid));
    const [one, two] = started.map(
      ([server, fleet]) =>
        () =>
          served(server, fleet),
    ) as [Side, Side];
    return await compare({ ...shown, unit: 'requests/s', asideUnit: 'µs of CPU', runs }, two, one);
  } finally {
    for (const [server] of started) await server.stop();
  }
}

type Side = () => Promise<Sample>;

async function served({ url, pid }: Running, { cpus, threads }: Fleet): Promise<Sample> {
  const paths = { prefix: '/images/', kind: 'uuid', count: IMAGES } as const;
  const { perSecond, cpuEach } = await load({
    url,
    paths,
    seconds: SECONDS,
    pids: [pid],
    threads,
    ...(cpus && { cpus }),
  });
  return { value: perSecond, aside: cpuEach };
}
