/** A file of 20 GiB, of holes, that an account copies within one store: its bytes get another name. */
import { readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ImgapiClient } from '#lib/client/client.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { ALICE, BOB } from '../helpers/accounts.ts';
import type { Figure, Plan, Results } from './measure.ts';
import { type Running, startServer } from './server.ts';
import { MIB } from './transfers.ts';

const GIB = 20;
const SIZE = GIB * 2 ** 30;
const MANIFEST = { name: 'large', version: '1.0.0', type: 'zone-dataset', os: 'linux', acl: [BOB] };

export async function* benchOneStore({ directory, profile }: Plan): Results {
  const dataDir = join(directory, 'one-store');
  await rm(dataDir, { recursive: true, force: true });
  const server = await startServer({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) });
  const [owner, sharee] = [ALICE, BOB].map((account) => new ImgapiClient({ url: server.url, account }));
  if (!owner || !sharee) throw new Error('two accounts were to ask');
  try {
    const uuid = await largeImage(owner, dataDir);
    const before = await movedBytes(server);
    const begin = performance.now();
    const clone = await sharee.cloneImage(uuid);
    const seconds = (performance.now() - begin) / 1000;
    const moved = (await movedBytes(server)) - before;
    const { nlink, size } = await stat(join(dataDir, 'storage', imageObjectPath(clone.uuid, 'file0')));
    if (nlink !== 2 || size !== SIZE) throw new Error(`the file has ${nlink} names and ${size} bytes`);
    const name = `copy of ${GIB} GiB in one store`;
    yield figure(name, seconds, 's', 1);
    yield figure(`${name}: read and written`, moved / MIB, 'MiB', 1);
  } finally {
    for (const client of [owner, sharee]) await client.destroy();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** A small one, whose file then grows by holes. */
async function largeImage(client: ImgapiClient, dataDir: string): Promise<string> {
  const { uuid } = await client.createImage(MANIFEST);
  await client.addImageFile(uuid, Readable.from([Buffer.alloc(MIB)]), { compression: 'none', size: MIB });
  await client.activateImage(uuid);
  await truncate(join(dataDir, 'storage', imageObjectPath(uuid, 'file0')), SIZE);
  const store = await openSqliteStore({ path: join(dataDir, 'imgapi.db') });
  try {
    await store.open([IMAGES]);
    await updateObject(store, IMAGES, uuid, (record) => ({
      ...record,
      files: (record.files ?? []).map((file) => ({ ...file, size: SIZE })),
      rev: (record.rev ?? 0) + 1,
    }));
  } finally {
    await store.close();
  }
  return uuid;
}

/** All that the process has read and written by now, of files and sockets. */
async function movedBytes({ pid }: Running): Promise<number> {
  const told = await readFile(`/proc/${pid}/io`, 'utf8');
  return ['rchar', 'wchar'].reduce((sum, name) => sum + Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(told)?.[1]), 0);
}

function figure(name: string, ours: number, unit: string, target: number): Figure {
  return { name, ours, unit, target, kind: 'limit', against: '', theirs: Number.NaN, ratio: Number.NaN, runs: 1 };
}
