/** How late GetImage is answered while files come and go: 99 of 100 requests, beside the same load with nothing else going on. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { FEW, QUICK, SECONDS } from './extent.ts';
import { ownFilledFolder } from './filled.ts';
import { load, type Paths } from './load.ts';
import { compare, type Plan, type Results, type Sample, warm } from './measure.ts';
import { type Running, startServer, untilAtRest } from './server.ts';
import { copyAcross, link, MIB } from './transfers.ts';

const ANY_IMAGE: Paths = { prefix: '/images/', kind: 'uuid', count: FEW };
/** Of uploads, and of copies, at any time. */
const AT_ONCE = 8;
const FILE_BYTES = (QUICK ? 16 : 48) * MIB;
const MANIFEST = { type: 'zone-dataset', os: 'linux', version: '1.0.0', name: 'busy' };
/** How many times later they may be. */
const MOST = 5;

export async function* benchBusy({ directory, profile, runs }: Plan): Results {
  const sourceDir = join(directory, 'busy-source');
  await rm(sourceDir, { recursive: true, force: true });
  const dataDir = await ownFilledFolder(directory, 'busy', FEW);
  // One account and one link do all of it.
  const keys = { limits: { share: 1 }, copies: { concurrency: AT_ONCE, perLink: AT_ONCE, perAccount: AT_ONCE } };
  const [server, source] = await Promise.all([
    startServer({ name: 'bench-2', dataDir, keys, ...(profile && { profile }) }),
    startServer({ name: 'bench-1', dataDir: sourceDir, keys }),
  ]);
  try {
    await link(source, server);
    const images = await imagesOf(source);
    await untilAtRest([server.pid, source.pid]);
    const late = async (): Promise<Sample> => {
      const served = await load({ url: server.url, paths: ANY_IMAGE, seconds: SECONDS, pids: [server.pid] });
      return { value: served.late, aside: served.perSecond };
    };
    await warm(late);
    const shown = { unit: 'ms', asideUnit: 'requests/s', kind: 'cost', target: MOST, runs } as const;
    yield await compare(
      { name: `GetImage, p99, ${AT_ONCE} uploads and ${AT_ONCE} copies`, against: 'alone', ...shown },
      () => whileBusy(server, images, late),
      late,
    );
  } finally {
    await source.stop();
    await server.stop();
    for (const folder of [dataDir, sourceDir]) await rm(folder, { recursive: true, force: true });
  }
}

/** What there is to copy. */
async function imagesOf(source: Running): Promise<string[]> {
  const client = new ImgapiClient({ url: source.url, account: ALICE });
  const made = await Promise.all(Array.from({ length: AT_ONCE }, () => upload(client)));
  for (const uuid of made) await client.activateImage(uuid);
  await client.destroy();
  return made;
}

async function upload(client: ImgapiClient): Promise<string> {
  const { uuid } = await client.createImage(MANIFEST);
  const bytes = Buffer.alloc(MIB, uuid);
  const body = Readable.from(Array.from({ length: FILE_BYTES / MIB }, () => bytes));
  await client.addImageFile(uuid, body, { compression: 'none', size: FILE_BYTES });
  return uuid;
}

/** What `body` returns, while each image is copied again and again, and as many files are uploaded. */
async function whileBusy<T>(server: Running, images: readonly string[], body: () => Promise<T>): Promise<T> {
  const client = new ImgapiClient({ url: server.url, account: ALICE });
  let isOver = false;
  const again = async (work: () => Promise<unknown>): Promise<void> => {
    while (!isOver) await work();
  };
  const uploads = images.map(() => again(async () => client.deleteImage(await upload(client))));
  const copies = images.map((uuid) => again(() => copyAcross(server, uuid)));
  try {
    return await body();
  } finally {
    isOver = true;
    await Promise.all([...uploads, ...copies]);
    await client.destroy();
  }
}
