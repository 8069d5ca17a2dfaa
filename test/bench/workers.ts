/**
 * GetImage by one worker and by two, on SQLite. Whoever makes the requests needs the same cores: so half a machine is
 * compared with all of it, one worker and its load on one core with two workers and theirs on two. How much more two
 * cores do than one depends on the machine, whose cores may share what is in them: so the second line is what two servers
 * do that know nothing of each other. Before that nothing is pinned, so that one worker has the second core's help.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { childrenOf, cpuSeconds } from './cpu.ts';
import { FEW, SECONDS } from './extent.ts';
import { filledFolder } from './filled.ts';
import { load } from './load.ts';
import { type Comparison, compareWithAll, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, startServer, untilAtRest } from './server.ts';

const LEAST = 1.7;

/** A server, and where it and its load run. */
interface Fleet {
  readonly server: Running;
  /** A worker, and as many requests as it serves, on each; absent: wherever the system puts them. */
  readonly cores?: readonly string[];
}

export async function* benchWorkers({ directory, runs, profile }: Plan): Results {
  const dataDir = await filledFolder(directory, FEW);
  const start = (workers?: number): Promise<Running> =>
    startServer({ name: 'bench-1', dataDir, ...(workers && { workers }), ...(profile ? { profile } : {}) });
  const servers = await Promise.all([start(), start(), start(2)]);
  const [one, other, two] = servers;
  const shown = { unit: 'requests/s', asideUnit: 'µs of CPU', runs, warmups: 1 };
  try {
    await untilAtRest(servers.map(({ pid }) => pid));
    const free = { against: '1 worker', side: () => served([{ server: one }]) };
    const compared = { name: 'GetImage, 2 workers, nothing pinned', ...shown };
    yield* await compareWithAll(compared, () => served([{ server: two }]), [free]);
    const name = 'GetImage, 2 workers on 2 cores';
    const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['-V']).error === undefined;
    if (canPin) yield* await comparePinned({ name, ...shown }, one, other, two);
    else yield { name, skipped: 'needs two cores, and taskset' };
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
  }
}

async function* comparePinned(shown: Comparison, one: Running, other: Running, two: Running): Results {
  const [half, otherHalf] = [await pinned(one, ['0']), await pinned(other, ['1'])];
  const whole = await pinned(two, ['0', '1']);
  yield* await compareWithAll(shown, () => served([whole]), [
    { side: () => served([half]), against: '1 with its load on 1 core', target: LEAST },
    { side: () => served([half, otherHalf]), against: '2 servers, each on a core', target: LEAST / 2 },
  ]);
}

/** Each worker on one of the cores: or the system moves them about, and none finds its data in a cache. */
async function pinned(server: Running, cores: readonly string[]): Promise<Fleet> {
  const workers = cores.length > 1 ? await childrenOf(server.pid) : [server.pid];
  for (const [at, pid] of workers.entries()) pin(pid, cores[at % cores.length] ?? '');
  if (cores.length > 1) pin(server.pid, cores.join());
  return { server, cores };
}

function pin(pid: number, cpus: string): void {
  spawnSync('taskset', ['-acp', cpus, String(pid)]);
}

async function served(fleets: readonly Fleet[]): Promise<Sample> {
  const pids = fleets.map(({ server }) => server.pid);
  const paths = { prefix: '/images/', kind: 'uuid', count: FEW } as const;
  const before = await cpuSeconds(...pids);
  const all = await Promise.all(
    fleets.flatMap(({ server: { url }, cores = [undefined] }) =>
      cores.map((cpus) => load({ url, paths, seconds: SECONDS, pids: [], ...(cpus && { cpus }) })),
    ),
  );
  const spent = (await cpuSeconds(...pids)) - before;
  const requests = all.reduce((sum, served) => sum + served.requests, 0);
  return { value: all.reduce((sum, { perSecond }) => sum + perSecond, 0), aside: (spent / requests) * 1e6 };
}
