/** Requests per second for single images and pages of lists over 10,000 images, against restify's hello world. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ALICE } from '../helpers/accounts.ts';
import { load, type Paths } from './load.ts';
import { compare, type Figure, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, startBareRestify, startServer, untilAtRest } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';

const IMAGES = 10_000;
const SECONDS = 3;

export async function* benchRequests({ directory, profile, runs }: Plan): Results {
  const dataDir = join(directory, profile ? 'requests-profiled' : 'requests');
  // What an earlier run left would be counted with.
  await rm(dataDir, { recursive: true, force: true });
  // The server makes the tables; the images are then put straight into them.
  await (await startServer({ name: 'bench-1', dataDir })).stop();
  await fillSqlite(dataDir, IMAGES);
  const server = await startServer({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) });
  const bare = await startBareRestify();
  const side =
    ({ url, pid }: Running, paths: Paths) =>
    async (): Promise<Sample> => {
      const { perSecond, cpuEach } = await load({ url, paths, seconds: SECONDS, pids: [pid] });
      return { value: perSecond, aside: cpuEach };
    };
  const reference = side(bare, { prefix: '/hello' });
  const figure = (name: string, target: number, paths: Paths): Promise<Figure> => {
    const beside = { against: 'bare restify', unit: 'requests/s', asideUnit: 'µs of CPU', runs };
    return compare({ name, target, ...beside }, side(server, paths), reference);
  };
  try {
    await untilAtRest([server.pid]);
    yield await figure(`GetImage, one of ${IMAGES}`, 0.5, { prefix: '/images/', kind: 'uuid', count: 1 });
    yield await figure(`GetImage, any of ${IMAGES}`, 0.5, { prefix: '/images/', kind: 'uuid', count: IMAGES });
    yield await figure('ListImages limit=20 by name', 0.15, { prefix: '/images?limit=20&name=image-7' });
    yield await figure('ListImages limit=20 by account', 0.15, { prefix: `/images?limit=20&account=${ALICE}` });
  } finally {
    await server.stop();
    await bare.stop();
  }
}
