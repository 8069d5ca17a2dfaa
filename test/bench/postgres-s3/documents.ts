/**
 * GetImage and pages of lists over 10,000 and over 1,000,000 images in PostgreSQL: what one costs in CPU, of the service
 * and of the database together. Both stand in one database, so that they take turns on one machine.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ALICE } from '../../helpers/accounts.ts';
import { MANY } from '../extent.ts';
import { load, type Paths } from '../load.ts';
import { namesOf } from '../many-images.ts';
import { compare, type Plan, type Results, type Sample } from '../measure.ts';
import { type Running, startServer, untilAtRest } from '../server.ts';
import { type Postgres, startDatabase } from './engines.ts';
import { fillWithImages } from './fill.ts';

const FEW = 10_000;
/** Images that are asked for all the time, whatever else there is. */
const HOT = 5000;
/** A request for many images may cost so many times what one for few costs. */
const MOST = 1.5;
const SECONDS = 2;
/** Of each image on average, before anything counts; and for how many times SECONDS at most. */
const READS = 4;
const MOST_TURNS = 8;

const PAGES: Readonly<Record<string, Paths>> = {
  'list by name': { prefix: '/images?limit=20&name=image-', kind: 'number', count: namesOf(FEW) },
  'list by account': { prefix: `/images?limit=20&account=${ALICE}` },
  'list, no filter': { prefix: '/images?limit=20' },
  'list by name=~': { prefix: '/images?limit=20&name=~mage-1', kind: 'number', count: 10 },
};

export async function* benchDocuments(plan: Plan): Results {
  const database = await startDatabase();
  const servers: Running[] = [];
  try {
    for (const count of [FEW, MANY]) servers.push(await serverWith(plan, database, count));
    yield* compareSizes(plan, database, servers);
  } finally {
    for (const server of servers) await server.stop();
    await database.server.remove();
  }
}

async function serverWith({ directory, profile }: Plan, database: Postgres, count: number): Promise<Running> {
  const dataDir = join(directory, `documents-${count}`);
  await rm(dataDir, { recursive: true, force: true });
  const schema = `bench_${count}`;
  const options = { name: `bench-${count}`, dataDir, keys: database.keys(schema) };
  // The server makes the tables; the images are then put straight into them.
  await (await startServer(options)).stop();
  await fillWithImages(database.server, schema, count);
  return startServer({ ...options, ...(profile ? { profile } : {}) });
}

async function* compareSizes({ runs }: Plan, { server, name }: Postgres, servers: readonly Running[]): Results {
  const [few, many] = servers as [Running, Running];
  await untilAtRest([few.pid, many.pid, ...(server.pid ? [server.pid] : [])]);
  const costOf =
    ({ url, pid }: Running, paths: Paths) =>
    async (): Promise<Sample> => {
      const { perSecond, cpuEach } = await load({ url, paths, seconds: SECONDS, pids: [pid, server.pid ?? pid] });
      return { value: cpuEach, aside: perSecond };
    };
  const compared = (what: string, ofMany: Paths, ofFew = ofMany) =>
    compare(
      {
        name: `${what}, ${MANY} images`,
        against: `${FEW} images, ${name}`,
        ...{ unit: 'µs of CPU', target: MOST, kind: 'cost', asideUnit: 'requests/s', runs },
      },
      costOf(many, ofMany),
      costOf(few, ofFew),
    );
  const anyOf = (count: number): Paths => ({ prefix: '/images/', kind: 'uuid', count });
  await warm(few, anyOf(FEW), FEW);
  await warm(many, anyOf(MANY), FEW);
  yield await compared('GetImage, any of them', anyOf(MANY), anyOf(FEW));
  for (const server of [few, many]) await warm(server, anyOf(HOT), HOT);
  yield await compared(`GetImage, one of ${HOT}`, anyOf(HOT));
  for (const [what, paths] of Object.entries(PAGES)) yield await compared(what, paths);
}

/** So many requests that a server has compiled what it runs, and keeps so many images: those that it has read twice. */
async function warm({ url, pid }: Running, paths: Paths, images: number): Promise<void> {
  let asked = 0;
  for (let turn = 0; turn < MOST_TURNS && asked < images * READS; turn++) {
    asked += SECONDS * (await load({ url, paths, seconds: SECONDS, pids: [pid] })).perSecond;
  }
}
