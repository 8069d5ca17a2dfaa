/** Lists that are longer than memory, or than patience: nobody waits for them, and they are sent as they are read. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Test, test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { SqliteStore } from '#lib/moray/sqlite/store.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { watchTurns } from '../../helpers/longest-turn.ts';
import { waitFor } from '../../helpers/wait.ts';
import { asker } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

const COUNT = 30_000;
/** What no request may hold the event loop for. */
const LONGEST_TURN_MS = 50;
const MiB = 2 ** 20;

function published(i: number): string {
  return new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString();
}

function manyImages(count: number, more: (i: number) => Partial<ImageRecord> = () => ({})): ImageRecord[] {
  return Array.from({ length: count }, (_, i) =>
    imageRecord('active', {
      name: `image-${i}`,
      published_at: published(i),
      owner: i % 2 === 0 ? ALICE : BOB,
      public: i % 3 === 0,
      ...more(i),
    }),
  );
}

/** 60 KB of tags, as some have. */
function largeTags(i: number): Partial<ImageRecord> {
  const tagsObj = { large: String(i % 10).repeat(60_000) };
  return { tagsObj, tags: ['large='] };
}

interface Raw {
  readonly socket: Socket;
  /** The whole answer, as soon as the server ends it. */
  readonly answer: Promise<Buffer>;
  readonly bytes: () => number;
}

/** A request whose answer is taken as bytes, which costs hardly anything. */
function rawGet(t: Test, url: string, path: string, { keep = true } = {}): Raw {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.teardown(() => socket.destroy());
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Version: ~3\r\nConnection: close\r\n\r\n`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (keep) chunks.push(chunk);
  });
  const answer = once(socket, 'close').then(() => Buffer.concat(chunks));
  answer.catch(() => {});
  return { socket, answer, bytes: () => bytes };
}

test('with many images no list holds the event loop, and none is left to be put together', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const records = manyImages(COUNT);
  await putRecords(imgapi.service, records);
  const ask = asker(t, url);
  const paths = [
    '/images?limit=20',
    '/images?name=~zzz',
    `/images?name=~zzz&account=${ALICE}`,
    '/images?type=zvol',
    '/images?state=unactivated',
    '/images?state=all&limit=25000',
    '/images',
    `/images?account=${ALICE}&sort=published_at.desc`,
  ];
  // Once, so that what is compiled only once is compiled.
  for (const path of ['/images?limit=2000', '/images?name=~zzz', '/ping']) await ask(path);
  for (const path of paths) {
    const turns = watchTurns();
    const list = rawGet(t, url, path);
    const ping = rawGet(t, url, '/ping');
    t.match((await ping.answer).toString('latin1', 0, 15), 'HTTP/1.1 200 OK');
    t.match((await list.answer).toString('latin1', 0, 15), 'HTTP/1.1 200 OK');
    const longest = turns.end();
    t.ok(longest < LONGEST_TURN_MS, `${path} held the loop for ${longest.toFixed(1)} ms`);
  }
  const turns = watchTurns();
  const six = Array.from({ length: 6 }, () => rawGet(t, url, '/images?limit=5000', { keep: false }));
  await Promise.all(six.map(({ answer }) => answer));
  const longest = turns.end();
  t.ok(longest < LONGEST_TURN_MS, `six lists at once held it for ${longest.toFixed(1)} ms`);

  const { text, headers, json } = await ask('/images');
  t.strictSame(
    (json as { uuid: string }[]).map(({ uuid }) => uuid),
    records.map(({ uuid }) => uuid),
  );
  t.ok(text === JSON.stringify(json, null, 2), 'the text is the one that it has always been');
  t.equal(headers['content-length'], undefined);
  t.equal(headers['content-type'], 'application/json');
  const head = await ask('/images', { method: 'HEAD' });
  t.same([head.status, head.headers['content-length'], head.text], [200, undefined, '']);
  const short = await ask('/images?limit=3', { method: 'HEAD' });
  t.equal(short.headers['content-length'], String((await ask('/images?limit=3')).text.length));
});

test('long pages have their link in front, and together every image once', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const records = manyImages(3500, (i) => (i % 5 === 0 ? { state: 'failed', activated: false } : {}));
  await putRecords(imgapi.service, records);
  const ask = asker(t, url);
  for (const [limit, pages] of [
    [1500, 3],
    [3500, 1],
    [3499, 2],
  ] as const) {
    for (const order of ['asc', 'desc'] as const) {
      const found: string[] = [];
      const lengths: number[] = [];
      let path: string | undefined = `/images?state=all&limit=${limit}&sort=published_at.${order}`;
      while (path !== undefined) {
        const { json, headers } = await ask(path, { headers: { 'accept-version': '~3' } });
        found.push(...(json as { uuid: string }[]).map(({ uuid }) => uuid));
        lengths.push(json.length);
        path = /^<([^>]+)>/.exec(headers['link'] ?? '')?.[1];
      }
      const expected = records.map(({ uuid }) => uuid);
      t.strictSame(found, order === 'asc' ? expected : expected.toReversed(), `${limit} ${order}`);
      t.equal(lengths.length, pages);
      t.ok(lengths.slice(0, -1).every((length) => length === limit));
    }
  }
});

test('lists of large images are answered in bounded memory, however many at once and however slowly read', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const count = 800;
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
  const grown = (peak - before) / MiB;
  t.ok(grown < 300, `twelve lists of 48 MB took ${Math.round(grown)} MiB`);
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
