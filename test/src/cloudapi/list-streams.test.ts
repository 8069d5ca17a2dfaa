/** Long lists of CloudAPI: read from IMGAPI as they are sent, so that nobody waits for them and memory has an end. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { SqliteStore } from '#lib/documents/sqlite/store.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, signedHeaders } from '../../helpers/cloudapi.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { watchTurns } from '../../helpers/longest-turn.ts';
import { waitFor } from '../../helpers/wait.ts';
import { largeTags, manyImages, rawGet } from '../imgapi/fixtures/many-images.ts';
import { putRecords } from '../imgapi/fixtures/records.ts';

const COUNT = 20_000;
/** What no request may hold the event loop for. */
const LONGEST_TURN_MS = 200;
const MiB = 2 ** 20;

const { alice } = makePeople();

async function inFrontOf(t: Test, imgapi: string, log?: Record<string, unknown>[]) {
  const cloudapi = await cloudapiInProcess(t, { people: [alice], imgapi }, log);
  const ask = asker(t, cloudapi.url);
  return {
    ask: (path: string, method = 'GET') => ask(path, { as: alice, method }),
    /** Without what reading JSON costs the asker. */
    raw: (path: string, keep = false) =>
      rawGet(t, cloudapi.url, path, {
        keep,
        headers: { 'accept-version': '~9', ...signedHeaders('GET', path, { as: alice }) },
      }),
  };
}

test('a long list has the images of IMGAPI in their order, and holds nobody up', async (t) => {
  const { imgapi, url, client } = await startInProcess(t);
  await putRecords(imgapi.service, manyImages(COUNT));
  const { ask, raw } = await inFrontOf(t, url);
  const paths = ['/my/images', '/my/images?name=~image-1', '/my/images?limit=5000', '/my/images?owner=me&limit=0'];
  // Once, so that what is compiled only once is compiled.
  for (const path of ['/my/images?limit=2000', '/my/images?name=~zzz', '/--ping']) await raw(path).answer;
  for (const path of paths) {
    const turns = watchTurns();
    const list = raw(path, true);
    const ping = raw('/--ping', true);
    t.match((await ping.answer).toString('latin1', 0, 15), 'HTTP/1.1 200 OK');
    t.match((await list.answer).toString('latin1', 0, 15), 'HTTP/1.1 200 OK');
    const longest = turns.end();
    t.ok(longest < LONGEST_TURN_MS, `${path} held the loop for ${longest.toFixed(1)} ms`);
  }
  const turns = watchTurns();
  await Promise.all(Array.from({ length: 4 }, () => raw('/my/images?limit=5000').answer));
  const longest = turns.end();
  t.ok(longest < LONGEST_TURN_MS, `four lists at once held it for ${longest.toFixed(1)} ms`);

  const expected = (await client({ account: ALICE }).listImages()).map(({ uuid }) => uuid);
  t.ok(expected.length > COUNT / 2);
  const { bytes, headers, json } = await ask('/my/images');
  t.strictSame(
    (json as { id: string }[]).map(({ id }) => id),
    expected,
  );
  t.ok(bytes.toString() === JSON.stringify(json, null, 2), 'the text is the one that it has always been');
  t.equal(headers['content-length'], undefined);
  t.match(headers, { 'content-type': 'application/json', 'api-version': '9.0.0', 'request-id': /./ });
  const limited = (await ask('/my/images?limit=5000')).json as { id: string }[];
  t.strictSame(
    limited.map(({ id }) => id),
    expected.slice(0, 5000),
  );
  const short = await ask('/my/images?limit=3');
  t.equal(short.headers['content-length'], String(short.bytes.length));
  t.equal(short.json.length, 3);
  const none = await ask('/my/images?name=nobody-has-it');
  t.match(none, { headers: { 'content-length': '2' }, json: [] });
  t.equal((await ask('/my/images?limit=3', 'HEAD')).headers['content-length'], short.headers['content-length']);
  const head = await ask('/my/images', 'HEAD');
  t.same([head.status, head.headers['content-length'], head.bytes.length], [200, undefined, 0]);
});

test('lists of large images, slow readers, and readers who leave', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const count = 600;
  await putRecords(
    imgapi.service,
    manyImages(count, (i) => ({ ...largeTags(i), owner: ALICE })),
  );
  const scans = countedScans(t);
  const { ask, raw } = await inFrontOf(t, url);
  const before = process.memoryUsage().rss;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  t.teardown(() => clearInterval(watch));
  const turns = watchTurns();
  // These do not read at all for now.
  const idle = Array.from({ length: 4 }, () => raw('/my/images'));
  for (const { socket } of idle) socket.pause();
  const lists = Array.from({ length: 4 }, () => raw('/my/images?owner=me'));
  await Promise.all(lists.map(({ answer }) => answer));
  const longest = turns.end();
  t.ok(
    lists.every(({ bytes }) => bytes() > count * 60_000),
    'all of them came whole',
  );
  t.ok(longest < LONGEST_TURN_MS, `the loop was held for ${longest.toFixed(1)} ms`);
  t.ok(scans.running() > 0, 'of those that are not read the rest is not read at IMGAPI either');
  // Held whole, as text and as objects, in both services, they would take several times as much.
  const grown = (peak - before) / MiB;
  t.ok(grown < 500, `eight lists of 36 MB took ${Math.round(grown)} MiB`);
  for (const { socket } of idle) socket.destroy();
  await waitFor('the reading at IMGAPI to end', () => scans.running() === 0);
  t.equal((await ask('/my/images', 'HEAD')).status, 200);
  await waitFor('the reading for HEAD to end', () => scans.running() === 0);
});

/** How many searches of images are under way. */
function countedScans(t: Test): { running(): number } {
  let running = 0;
  const { scan } = SqliteStore.prototype;
  t.teardown(() => {
    SqliteStore.prototype.scan = scan;
  });
  SqliteStore.prototype.scan = async function* (this: SqliteStore, ...args: Parameters<SqliteStore['scan']>) {
    const weight = args[0].name === 'imgapi_images' ? 1 : 0;
    running += weight;
    try {
      yield* scan.apply(this, args);
    } finally {
      running -= weight;
    }
  } as typeof scan;
  return { running: () => running };
}

const ITEM = { uuid: '0965c1f4-6995-c095-ecb5-c1a80be2b08e', name: 'x'.repeat(1000), version: '1' };

test('an error before the list is an answer, and one in its middle cuts it', async (t) => {
  let answer: (response: ServerResponse) => void = () => {};
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  const log: Record<string, unknown>[] = [];
  const { ask, raw } = await inFrontOf(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, log);
  const begin = (response: ServerResponse, items: number): void => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`[${`${JSON.stringify(ITEM)},`.repeat(items)}`);
  };
  answer = (response) => {
    response.writeHead(422, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'InvalidParameter', message: 'no such state' }));
  };
  t.match(await ask('/my/images?state=x'), {
    status: 422,
    json: { code: 'InvalidParameter', message: 'no such state' },
  });
  answer = (response) => response.destroy();
  t.match(await ask('/my/images'), { status: 503, json: { code: 'ServiceUnavailable' } });
  answer = (response) => {
    begin(response, 10);
    setImmediate(() => response.destroy());
  };
  t.match(await ask('/my/images'), { status: 503, json: { code: 'ServiceUnavailable' } });
  answer = (response) => response.end('{}');
  t.match(await ask('/my/images'), { status: 500, json: { code: 'InternalError' } });
  answer = (response) => begin(response, 2000);
  const list = raw('/my/images', true);
  await waitFor('the beginning', () => list.bytes() > 100_000);
  server.closeAllConnections();
  const cut = (await list.answer).toString();
  t.match(cut, /^HTTP\/1\.1 200 OK/);
  t.notOk(/\n0\r\n\r\n$/.test(cut), 'the end of the text is missing');
  t.match(
    log.findLast(({ msg }) => msg === 'a list was cut off in its middle'),
    { level: 50, req_id: /./ },
    'and it is logged',
  );
});
