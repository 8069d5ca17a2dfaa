/** Lists that are larger than memory is: they are read no faster than they are sent, and no longer than they are wanted. */
import { test } from 'tap';
import { SqliteStore } from '#lib/documents/sqlite/store.ts';
import { spawnImgapi, startInProcess } from '../../helpers/imgapi.ts';
import { forgetPeak, residentBytes } from '../../helpers/resident.ts';
import { waitFor } from '../../helpers/wait.ts';
import { largeTags, manyImages, rawGet } from './fixtures/many-images.ts';
import { putRecords } from './fixtures/records.ts';

const MiB = 2 ** 20;

test('lists of large images are answered in bounded memory, however many at once and however slowly read', async (t) => {
  const count = 600;
  const filled = await startInProcess(t);
  await putRecords(filled.imgapi.service, manyImages(count, largeTags));
  await filled.imgapi.close({ patience: 0 });
  // A process of its own: what this one holds, and how its own memory is managed, is another matter.
  const { url, process: server } = await spawnImgapi(t, {}, { dataDir: filled.dataDir });
  const pid = server.pid as number;
  const first = rawGet(t, url, '/images?limit=20', { keep: false });
  await first.answer;
  if (process.platform === 'linux') await forgetPeak(pid);
  const before = process.platform === 'linux' ? (await residentBytes(pid)).now : 0;
  // These do not read at all for now.
  const idle = Array.from({ length: 6 }, () => rawGet(t, url, '/images', { keep: false }));
  for (const { socket } of idle) socket.pause();
  const lists = Array.from({ length: 6 }, () => rawGet(t, url, '/images?state=all', { keep: false }));
  await Promise.all(lists.map(({ answer }) => answer));
  t.ok(
    lists.every(({ bytes }) => bytes() > count * 60_000),
    'all of them came whole',
  );
  for (const { socket } of idle) socket.resume();
  await Promise.all(idle.map(({ answer }) => answer));
  t.ok(
    idle.every(({ bytes }) => bytes() > count * 60_000),
    'and so did those that were read late',
  );
  if (process.platform !== 'linux') return;
  // Held whole, as text alone, the twelve would take 432 MiB.
  const grown = ((await residentBytes(pid)).peak - before) / MiB;
  t.comment(`twelve lists of 36 MB took ${Math.round(grown)} MiB`);
  t.ok(grown < 300, `twelve lists of 36 MB took ${Math.round(grown)} MiB`);
});

test('a client that leaves ends its list', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  await putRecords(imgapi.service, manyImages(600, largeTags));
  const scans = { begun: 0, ended: 0 };
  const { scan } = SqliteStore.prototype;
  t.teardown(() => {
    SqliteStore.prototype.scan = scan;
  });
  SqliteStore.prototype.scan = async function* (this: SqliteStore, ...args: Parameters<SqliteStore['scan']>) {
    if (args[0].name !== 'imgapi_images') {
      yield* scan.apply(this, args);
      return;
    }
    scans.begun += 1;
    try {
      yield* scan.apply(this, args);
    } finally {
      scans.ended += 1;
    }
  } as typeof scan;
  const list = rawGet(t, url, '/images');
  await waitFor('the first bytes', () => list.bytes() > 0);
  list.socket.pause();
  t.ok(scans.begun > 0);
  t.equal(scans.ended, 0, 'it is under way');
  list.socket.destroy();
  await waitFor('the end of the list', () => scans.ended === scans.begun);
  const whole = rawGet(t, url, '/images', { keep: false });
  await whole.answer;
  t.ok(whole.bytes() > 600 * 60_000, 'others are not concerned');
});
