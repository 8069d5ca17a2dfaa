/**
 * A file of 20 GiB, of holes, that is copied within one store, where its bytes get another name: an image that is shared with an
 * account is cloned, and one is copied from another datacenter whose bytes an image of its owner has here.
 */
import { readFile, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ImgapiClient } from '#lib/client/client.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { FILE_HASHES, noteFileHash } from '#src/images/files/file-hashes.ts';
import { ALICE, BOB } from '../helpers/accounts.ts';
import type { Figure, Plan, Results } from './measure.ts';
import { type Running, startServer } from './server.ts';
import { copied, link, MIB } from './transfers.ts';

const GIB = 20;
const SIZE = GIB * 2 ** 30;
/** Of so many bytes that are zero. */
const HASHES = {
  sha1: '4578a184e2170744a6a10dd8265309a3b5accfd3',
  sha256: '6cb118a8f8b3c19385874297e291dcbcdf3a9837ba1ca7b00ace2491adbff551',
};
const MANIFEST = { name: 'large', version: '1.0.0', type: 'zone-dataset', os: 'linux', acl: [BOB] };

export async function* benchOneStore({ directory, profile }: Plan): Results {
  const root = join(directory, 'one-store');
  await rm(root, { recursive: true, force: true });
  const start = (name: string): Promise<Running> =>
    startServer({ name, dataDir: join(root, name), ...(profile ? { profile } : {}) });
  const servers = await Promise.all([start('bench-1'), start('bench-2')]);
  const [there, here] = servers;
  try {
    await link(there, here);
    const [shared, other] = await Promise.all([largeImage(here), largeImage(there)]);
    const bob = new ImgapiClient({ url: here.url, account: BOB });
    yield* measured(here, `clone of ${GIB} GiB`, async () => {
      const begin = performance.now();
      const { uuid } = await bob.cloneImage(shared);
      return { uuid, seconds: (performance.now() - begin) / 1000 };
    });
    await bob.destroy();
    const alice = new ImgapiClient({ url: here.url, account: ALICE });
    yield* measured(here, `copy of ${GIB} GiB that are here`, async () => {
      const begin = Date.now();
      const { finished_at: end = '' } = await copied(alice, other);
      return { uuid: other, seconds: (Date.parse(end) - begin) / 1000 };
    });
    await alice.destroy();
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(root, { recursive: true, force: true });
  }
}

/** How long it took, and what the server read and wrote meanwhile. */
async function* measured(
  here: Running,
  name: string,
  make: () => Promise<{ readonly uuid: string; readonly seconds: number }>,
): Results {
  const before = await movedBytes(here);
  const { uuid, seconds } = await make();
  const moved = (await movedBytes(here)) - before;
  const { nlink, size } = await stat(join(here.dataDir, 'storage', imageObjectPath(uuid, 'file0')));
  if (nlink < 2 || size !== SIZE) throw new Error(`the file has ${nlink} names and ${size} bytes`);
  yield figure(name, seconds, 's', 1);
  yield figure(`${name}: read and written`, moved / MIB, 'MiB', 1);
}

/** A small one, whose file then grows by holes. */
async function largeImage({ url, dataDir }: Running): Promise<string> {
  const client = new ImgapiClient({ url, account: ALICE });
  const { uuid } = await client.createImage(MANIFEST);
  await client.addImageFile(uuid, Readable.from([Buffer.alloc(MIB)]), { compression: 'none', size: MIB });
  await client.activateImage(uuid);
  await client.destroy();
  await truncate(join(dataDir, 'storage', imageObjectPath(uuid, 'file0')), SIZE);
  const store = await openSqliteStore({ path: join(dataDir, 'imgapi.db') });
  try {
    await store.open([IMAGES, FILE_HASHES]);
    await updateObject(store, IMAGES, uuid, (record) => ({
      ...record,
      files: (record.files ?? []).map((file) => ({ ...file, ...HASHES, size: SIZE })),
      rev: (record.rev ?? 0) + 1,
    }));
    await store.batch(noteFileHash(uuid, 0, HASHES));
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
