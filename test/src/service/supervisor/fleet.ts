/** A server with several workers, and sight of their processes. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort } from '../../../helpers/free-port.ts';
import { type ConfigKeys, type Spawned, spawnImgapi } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';

export interface Fleet extends Spawned {
  readonly metricsUrl: string;
  /** The log so far. */
  readonly log: () => string;
  /** Process ids of the workers that listen, in no particular order. */
  pids(): Promise<number[]>;
  /** Waits until so many workers listen of which none is one of these; returns their ids. */
  others(than: readonly number[], count: number): Promise<number[]>;
}

/** @param args say how many workers; `keys` may say it as well */
export async function startFleet(
  t: Test,
  workers: number,
  keys: ConfigKeys = {},
  args = ['--workers', String(workers)],
  dataDir?: string,
): Promise<Fleet> {
  let log = '';
  const metrics = { address: '127.0.0.1', port: await freePort() };
  const server = await spawnImgapi(
    t,
    { logLevel: 'info', workerSilenceSeconds: 20, metrics, ...keys },
    {
      args,
      ...(dataDir !== undefined && { dataDir }),
      onLog: (text) => {
        log += text;
      },
    },
  );
  const pids = async () => workersIn(server.dataDir);
  t.teardown(async () => {
    await server.kill();
    // They end by themselves; the test's folder must outlive them.
    await waitFor('the workers to be gone', async () => (await pids()).every((pid) => !isAlive(pid)));
  });
  return {
    ...server,
    metricsUrl: `http://127.0.0.1:${metrics.port}/metrics`,
    log: () => log,
    pids,
    others: (than, count) =>
      waitFor(`${count} other workers`, async () => {
        const found = (await pids()).filter((pid) => isAlive(pid) && !than.includes(pid));
        return found.length === count ? found : undefined;
      }),
  };
}

async function workersIn(dataDir: string): Promise<number[]> {
  const names = await readdir(join(dataDir, 'run'));
  return [...new Set(names.map((name) => Number(name.split('.')[1])))];
}

/** Stops a worker that is not one of these in the middle of its start, before it has read anything; returns its id. */
export async function haltNext(supervisor: number | undefined, than: readonly number[] = []): Promise<number> {
  const pid = await waitFor('a worker that starts', async () => {
    const children = await readFile(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8');
    for (const child of children.trim().split(/\s+/).map(Number)) {
      if (child === 0 || than.includes(child)) continue;
      // Until it has a program of its own, its supervisor waits for it.
      if ((await readFile(`/proc/${child}/environ`, 'utf8')).includes('NODE_UNIQUE_ID=')) return child;
    }
    return undefined;
  });
  process.kill(pid, 'SIGSTOP');
  return pid;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
