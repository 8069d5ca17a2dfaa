/**
 * How soon bytes flow again when the destination of a large copy comes back: a process is killed when 18 of 20 GiB are
 * staged, and started again. The bytes are holes of sparse files, so that neither side needs the room. Run by
 * `make torture-resume`; `GIB` says how large.
 */
import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { MiB, startCloud } from '../helpers/cloud.ts';
import { makeImage } from '../helpers/images.ts';
import { waitFor } from '../helpers/wait.ts';

const GIB = 2 ** 30;
const SIZE = Number(process.env['GIB'] || 20) * GIB;
const STAGED = Math.floor(SIZE * 0.9);
/** Those of the service, not those of tests. */
const COPIES = { leaseSeconds: 30, heartbeatSeconds: 1, stallSeconds: 60, retryDelay: { min: 1, max: 300 } };
/** Milliseconds from the first answer until bytes flow: what is wanted. */
const TARGET = 1000;
/** Beyond that something is wrong, however busy the machine is. */
const BOUND = 60_000;
/** More than all that is asked before the bytes of the file. */
const FIRST = MiB;

test('Bytes flow again', async (t) => {
  const { east, west } = await startCloud(t, { east: { copies: COPIES }, west: { copies: COPIES } });
  const { image } = await makeImage(east.alice, {}, { bytes: Buffer.alloc(100_000) });
  const { uuid } = image;
  await truncate(join(east.dataDir, 'storage', imageObjectPath(uuid, 'file0')), SIZE);
  const store = await openSqliteStore({ path: join(east.dataDir, 'imgapi.db') });
  await store.open([IMAGES]);
  await updateObject(store, IMAGES, uuid, (record) => ({
    ...record,
    files: (record.files ?? []).map((file) => ({ ...file, size: SIZE })),
    rev: (record.rev ?? 0) + 1,
  }));
  await store.close();
  east.network.trouble = { kind: 'slow', bytesPerSecond: 4 * MiB };
  await west.order(uuid, east.name);
  const begun = east.network.received;
  await waitFor('bytes to flow', () => east.network.received - begun > 2 * FIRST);
  await west.kill();
  east.network.trouble = { kind: 'none' };
  const folder = join(west.dataDir, 'storage', 'staging');
  const staged = async () => (await readdir(folder)).filter((name) => name.startsWith('copy'));
  const [name = ''] = await staged();
  await truncate(join(folder, name), STAGED);
  for (const times of ['first', 'second', 'third']) {
    const before = east.network.received;
    const starting = performance.now();
    await west.start();
    await west.operator.ping();
    const answered = performance.now();
    await waitFor('new bytes', () => east.network.received - before > FIRST);
    const flowed = performance.now();
    const names = await staged();
    const { blocks } = await stat(join(folder, names[0] ?? ''));
    t.comment(
      `${times} time: ${Math.round(answered - starting)} ms to /ping, ${Math.round(flowed - answered)} ms from there to the first new MiB; ` +
        `${names.length} staged file, ${Math.round((blocks * 512) / MiB)} MiB on the disk`,
    );
    const took = Math.round(flowed - answered);
    const judged = took <= TARGET ? 'within the target' : `MISSED the target by ${took - TARGET} ms: it is`;
    t.comment(`${times} time: ${judged} ${TARGET} ms`);
    t.equal(names.length, 1, 'the staged bytes are there once');
    t.ok(took < BOUND, `${took} ms`);
    await west.kill();
  }
});
