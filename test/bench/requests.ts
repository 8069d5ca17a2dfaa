/** Requests per second for single images and pages of lists over 10,000 images, against restify's hello world. */
import { join } from 'node:path';
import { ALICE } from '../helpers/accounts.ts';
import { SECONDS } from './extent.ts';
import { load, type Paths } from './load.ts';
import { namesOf } from './many-images.ts';
import { compare, type Figure, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, startBareRestify, startServer, untilAtRest } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';
import { WRITES_PER_SECOND, whileWriting } from './writing.ts';

const IMAGES = 10_000;

const ANY_IMAGE: Paths = { prefix: '/images/', kind: 'uuid', count: IMAGES };
const BY_NAME: Paths = { prefix: '/images?limit=20&name=image-', kind: 'number', count: namesOf(IMAGES) };
const BY_ACCOUNT: Paths = { ...BY_NAME, prefix: `/images?limit=20&account=${ALICE}&name=image-` };

const BESIDE_BARE: readonly (readonly [name: string, target: number, Paths])[] = [
  [`GetImage, one of ${IMAGES}`, 0.6, { ...ANY_IMAGE, count: 1 }],
  [`GetImage, any of ${IMAGES}`, 0.6, ANY_IMAGE],
  ['ListImages limit=20, one name', 0.25, { ...BY_NAME, count: 1 }],
  ['ListImages limit=20, any name', 0.25, BY_NAME],
  ['ListImages limit=20 of an account', 0.25, { prefix: `/images?limit=20&account=${ALICE}` }],
  ['the same, any name', 0.25, BY_ACCOUNT],
];

const BESIDE_WRITES: readonly (readonly [name: string, Paths])[] = [
  ['GetImage', ANY_IMAGE],
  ['list, any name', BY_NAME],
  ['list of an account, any name', BY_ACCOUNT],
];
const LEAST_WHILE_WRITING = 0.8;

export async function* benchRequests({ directory, profile, runs }: Plan): Results {
  const dataDir = join(directory, profile ? 'requests-profiled' : 'requests');
  // The server makes the tables; the images are then put straight into them.
  await (await startServer({ name: 'bench-1', dataDir })).stop();
  fillSqlite(dataDir, IMAGES);
  const server = await startServer({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) });
  const bare = await startBareRestify();
  const reference = sideOf(bare, { prefix: '/hello' });
  const shown = { unit: 'requests/s', asideUnit: 'µs of CPU', runs };
  try {
    await untilAtRest([server.pid]);
    for (const [name, target, paths] of BESIDE_BARE) {
      yield await compare({ name, target, against: 'bare restify', ...shown }, sideOf(server, paths), reference);
    }
    for (const [name, paths] of BESIDE_WRITES) yield await whileWritten(name, server, paths, shown);
  } finally {
    await server.stop();
    await bare.stop();
  }
}

function whileWritten(
  what: string,
  server: Running,
  paths: Paths,
  shown: Pick<Figure, 'unit' | 'runs'> & { readonly asideUnit: string },
): Promise<Figure> {
  const side = sideOf(server, paths);
  const name = `${what}, ${WRITES_PER_SECOND} writes/s`;
  const compared = { name, target: LEAST_WHILE_WRITING, against: 'without writes', ...shown };
  return compare(compared, () => whileWriting(server.url, IMAGES, side), side);
}

function sideOf({ url, pid }: Running, paths: Paths): () => Promise<Sample> {
  return async () => {
    const { perSecond, cpuEach } = await load({ url, paths, seconds: SECONDS, pids: [pid] });
    return { value: perSecond, aside: cpuEach };
  };
}
