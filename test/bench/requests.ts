/** Requests per second for single images and pages of lists over few images, against restify's hello world. */
import { ALICE } from '../helpers/accounts.ts';
import { FEW, SECONDS } from './extent.ts';
import { ownFilledFolder } from './filled.ts';
import { load, type Paths } from './load.ts';
import { namesOf } from './many-images.ts';
import { compare, type Figure, type Plan, type Results, type Sample, warm } from './measure.ts';
import { type Running, startBareRestify, startServer, untilAtRest } from './server.ts';
import { WRITES_PER_SECOND, whileWriting } from './writing.ts';

const ANY_IMAGE: Paths = { prefix: '/images/', kind: 'uuid', count: FEW };
const BY_NAME: Paths = { prefix: '/images?limit=20&name=image-', kind: 'number', count: namesOf(FEW) };
const BY_ACCOUNT: Paths = { ...BY_NAME, prefix: `/images?limit=20&account=${ALICE}&name=image-` };

const BESIDE_BARE: readonly (readonly [name: string, target: number, Paths])[] = [
  [`GetImage, one of ${FEW}`, 0.6, { ...ANY_IMAGE, count: 1 }],
  [`GetImage, any of ${FEW}`, 0.6, ANY_IMAGE],
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
  const dataDir = await ownFilledFolder(directory, 'requests', FEW);
  const [server, bare] = await Promise.all([
    startServer({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) }),
    startBareRestify(),
  ]);
  const reference = sideOf(bare, { prefix: '/hello' });
  const shown = { unit: 'requests/s', asideUnit: 'µs of CPU', runs };
  try {
    await untilAtRest([server.pid]);
    await warm(reference);
    for (const [name, target, paths] of BESIDE_BARE) {
      const ours = sideOf(server, paths);
      await warm(ours);
      yield await compare({ name, target, against: 'bare restify', ...shown }, ours, reference);
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
  return compare(compared, () => whileWriting(server.url, FEW, side), side);
}

function sideOf({ url, pid }: Running, paths: Paths): () => Promise<Sample> {
  return async () => {
    const { perSecond, cpuEach } = await load({ url, paths, seconds: SECONDS, pids: [pid] });
    return { value: perSecond, aside: cpuEach };
  };
}
