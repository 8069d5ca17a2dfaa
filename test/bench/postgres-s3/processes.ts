/** GetImage by 1, 2 and 4 processes on PostgreSQL, which has the same cores as they and their load. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from '../load.ts';
import { compare, type Plan, type Results, type Sample } from '../measure.ts';
import { type Running, startServer, untilAtRest } from '../server.ts';
import { startDatabase } from './engines.ts';
import { fillWithImages } from './fill.ts';

const IMAGES = 10_000;
const SECONDS = 2;
const SCHEMA = 'processes';

export async function* benchProcesses({ directory, runs, profile }: Plan): Results {
  const dataDir = join(directory, SCHEMA);
  await rm(dataDir, { recursive: true, force: true });
  const database = await startDatabase();
  const { server, name } = database;
  const started: Running[] = [];
  const start = async (workers?: number): Promise<Running> => {
    const profiled = { ...(workers && { workers }), ...(profile ? { profile } : {}) };
    const running = await startServer({ name: 'bench-1', dataDir, keys: database.keys(SCHEMA), ...profiled });
    started.push(running);
    return running;
  };
  const served =
    ({ url, pid }: Running) =>
    async (): Promise<Sample> => {
      const paths = { prefix: '/images/', kind: 'uuid', count: IMAGES } as const;
      const { perSecond, cpuEach } = await load({ url, paths, seconds: SECONDS, pids: [pid, server.pid ?? pid] });
      return { value: perSecond, aside: cpuEach };
    };
  try {
    const one = await start();
    await fillWithImages(server, SCHEMA, IMAGES);
    for (const workers of [2, 4]) {
      const many = await start(workers);
      await untilAtRest([one.pid, many.pid, ...(server.pid ? [server.pid] : [])]);
      const shown = { against: `1, ${name}`, unit: 'requests/s', asideUnit: 'µs of CPU', runs };
      yield await compare({ name: `GetImage, ${workers} processes`, ...shown }, served(many), served(one));
    }
  } finally {
    for (const each of started) await each.stop();
    await server.remove();
  }
}
