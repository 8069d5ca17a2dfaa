/** How late GetImage is answered while files come and go: 99 of 100 requests, beside the same load with nothing else going on. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { SECONDS } from './extent.ts';
import { load, type Paths } from './load.ts';
import { compare, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, startServer, untilAtRest } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';
import { copyAcross, link, MIB } from './transfers.ts';

const IMAGES = 10_000;
const ANY_IMAGE: Paths = { prefix: '/images/', kind: 'uuid', count: IMAGES };
/** Of uploads, and of copies, at any time. */
const AT_ONCE = 8;
const FILE_BYTES = 48 * MIB;
const MANIFEST = { type: 'zone-dataset', os: 'linux', version: '1.0.0', name: 'busy' };
/** How many times later they may be. */
const MOST = 5;

export async function* benchBusy({ directory, profile, runs }: Plan): Results {
  const folders = ['busy', 'busy-source'].map((name) => join(directory, name));
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  const [dataDir = '', sourceDir = ''] = folders;
  await (await startServer({ name: 'bench-2', dataDir })).stop();
  fillSqlite(dataDir, IMAGES);
  // One account and one link do all of it.
  const keys = { limits: { share: 1 }, copies: { concurrency: AT_ONCE, perLink: AT_ONCE, perAccount: AT_ONCE } };
  const server = await startServer({ name: 'bench-2', dataDir, keys, ...(profile && { profile }) });
  const source = await startServer({ name: 'bench-1', dataDir: sourceDir, keys });
  try {
    await link(source, server);
    const images = await imagesOf(source);
    await untilAtRest([server.pid, source.pid]);
    const late = async (): Promise<Sample> => {
      const served = await load({ url: server.url, paths: ANY_IMAGE, seconds: SECONDS, pids: [server.pid] });
      return { value: served.late, aside: served.perSecond };
    };
    const shown = { unit: 'ms', asideUnit: 'requests/s', kind: 'cost', target: MOST, runs } as const;
    yield await compare(
      { name: `GetImage, p99, ${AT_ONCE} uploads and ${AT_ONCE} copies`, against: 'alone', ...shown },
      () => whileBusy(server, images, late),
      late,
    );
  } finally {
    await source.stop();
    await server.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

/** What there is to copy. */
async function imagesOf(source: Running): Promise<string[]> {
  const client = new ImgapiClient({ url: source.url, account: ALICE });
  const made: string[] = [];
  for (let at = 0; at < AT_ONCE; at += 1) {
    const uuid = await upload(client);
    await client.activateImage(uuid);
    made.push(uuid);
  }
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
