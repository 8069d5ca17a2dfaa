/** Lists that are larger than memory is: they are read no faster than they are sent, and no longer than they are wanted. */
import { test } from 'tap';
import { SqliteStore } from '#lib/moray/sqlite/store.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { largeTags, manyImages, rawGet } from './fixtures/many-images.ts';
import { putRecords } from './fixtures/records.ts';

const MiB = 2 ** 20;

test('lists of large images are answered in bounded memory, however many at once and however slowly read', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const count = 600;
  await putRecords(imgapi.service, manyImages(count, largeTags));
  const before = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  t.teardown(() => clearInterval(watch));
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
  // Held whole, as text and as objects, they would take three times as much.
  const grown = (peak - before) / MiB;
  t.ok(grown < 500, `twelve lists of 36 MB took ${Math.round(grown)} MiB`);
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
