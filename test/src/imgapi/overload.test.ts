/** More than a process can do at a time: what is beyond is refused by name, and all else goes on. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type Test, test } from 'tap';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import { UPLOADS } from '#src/images/files/upload-register.ts';
import { admission, Gate } from '#src/imgapi/admission.ts';
import type { Call } from '#src/imgapi/call.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { MiB } from '../../helpers/cloud.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { waitFor } from '../../helpers/wait.ts';
import { slowUpload } from '../images/files/slow-upload.ts';
import { asker } from './fixtures/ask.ts';

const ONE_EACH = { limits: { uploads: 1, downloads: 1, lists: 1, copies: 1, watches: 1, plans: 1 } };

/** A connection that has sent these bytes, and closes with the test. */
async function opened(t: Test, url: string, bytes = ''): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  if (bytes !== '') socket.write(bytes);
  return socket;
}

test('an upload beyond the limit is refused before its bytes, and has its place when the other one ends', async (t) => {
  const { url, client, imgapi } = await startInProcess(t, ONE_EACH);
  const { store } = imgapi.service;
  const alice = client({ account: ALICE });
  const ask = asker(t, url);
  const pathOf = async () =>
    `/images/${(await alice.createImage(MANIFEST)).uuid}/file?account=${ALICE}&compression=none`;
  const [first, second] = [await pathOf(), await pathOf()];
  for (const end of ['end', 'cut'] as const) {
    const slow = slowUpload(url + first);
    await slow.write('bytes');
    await waitFor('the upload to be under way', async () => (await store.count(UPLOADS)) === 1);
    const refused = await ask(second, { method: 'PUT', body: Buffer.from('x') });
    t.equal(refused.status, 503);
    t.match(refused, {
      json: { code: 'ServerBusy', message: /^1 uploads are under way here/ },
      headers: { 'retry-after': '5' },
    });
    t.equal((await ask('/ping')).status, 200);
    t.equal((await ask('/images')).status, 200);
    if (end === 'end') t.equal((await slow.end()).status, 200);
    else slow.cut();
    await waitFor('a place', async () => (await ask(second, { method: 'PUT', body: Buffer.from('x') })).status === 200);
  }
});

test('a reader that does not read keeps the place of a download, and gives it back when it leaves', async (t) => {
  const { url, client } = await startInProcess(t, ONE_EACH);
  const { image } = await makeImage(client({ account: ALICE }), {}, { size: 16 * MiB });
  const ask = asker(t, url);
  const path = `/images/${image.uuid}/file?account=${ALICE}`;
  const slow = await opened(t, url, `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  slow.pause();
  const refused = await waitFor('a refusal', async () => {
    const answer = await ask(path, { headers: { range: 'bytes=0-3' } });
    return answer.status === 503 && answer;
  });
  t.match(refused.json, { code: 'ServerBusy', message: /downloads/ });
  slow.destroy();
  await waitFor('a place', async () => (await ask(path, { headers: { range: 'bytes=0-3' } })).status === 206);
  for (let i = 0; i < 20; i++) {
    for (const method of ['GET', 'HEAD']) t.match((await ask('/images?limit=1', { method })).status, 200);
    t.equal((await ask(path, { method: 'HEAD' })).status, 200);
    t.equal((await ask('/images?limit=x')).status, 422);
  }
});

test('what waits for machines, and what counts all images of an account, has places as well', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const apis = { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}` };
  const machines = { vmapi: apis, cnapi: apis, allowLocalCreateImageFromVm: true, publicUrl: 'http://192.0.2.1' };
  const { url, imgapi } = await startInProcess(t, { ...ONE_EACH, ...machines });
  const ask = asker(t, url);
  const path = `/images?action=create-from-vm&vm_uuid=${randomUUID()}&account=${ALICE}`;
  const body = JSON.stringify({ name: 'mine', version: '1' });
  const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  const first = await opened(t, url, `${head}\r\n\r\n${body}`);
  await once(silent, 'connection');
  const refused = await ask(path, { method: 'POST', json: JSON.parse(body) as object });
  t.match(refused, { status: 503, json: { code: 'ServerBusy', message: /^1 copies and clones are under way/ } });
  first.destroy();
  const v3 = { headers: { 'accept-version': '~3' } };
  const { store } = imgapi.service;
  const done = Promise.withResolvers<void>();
  t.teardown(() => done.resolve());
  const scan = store.scan.bind(store);
  store.scan = async function* slowly(...asked) {
    await done.promise;
    yield* scan(...asked);
  } as typeof store.scan;
  const quota = `/quotas/${ALICE}?account=${ALICE}`;
  const both = [ask(quota, v3), ask(quota, v3)];
  // Whichever came second.
  t.match((await Promise.race(both)).json, { message: /^1 lists and counts are under way here/ });
  done.resolve();
  t.same((await Promise.all(both)).map(({ status }) => status).toSorted(), [200, 503]);
});

const LINES = { headers: { accept: 'application/x-json-stream' } };
const PLAN = { query: { plan: 'true' } };
const OPERATIONS = { ...IMGAPI, ...LINKS };

/** What each operation that lasts takes a place of. Written down once more, and apart from the code. */
const LASTING: readonly [keyof typeof OPERATIONS, Parameters<Gate['take']>[0], Partial<Call>?][] = [
  ['AddImageFile', 'uploads'],
  ['AddImageFileFromUrl', 'uploads'],
  ['AppendImageUpload', 'uploads'],
  ['GetImageFile', 'downloads'],
  ['LinkGetImageFile', 'downloads'],
  ['LinkGetImageFilePieces', 'downloads'],
  ['ListImages', 'lists'],
  ['ListCopies', 'lists'],
  ['ListCopies', 'watches', LINES],
  ['ListFanOuts', 'lists'],
  ['GetQuota', 'lists'],
  ['ListQuotas', 'lists'],
  ['CopyImageFromDc', 'copies'],
  ['CopyImageFromDc', 'copies', LINES],
  ['CopyImageFromDc', 'watches', LINES],
  ['CopyImageToDcs', 'copies'],
  ['ImportImageFromDatacenter', 'copies'],
  ['AdminImportRemoteImage', 'copies'],
  ['CreateImageFromVm', 'copies'],
  ['CloneImage', 'copies'],
  ['ExportImage', 'copies'],
  ['AdminChangeImageStor', 'copies'],
  ['GetImageUsage', 'plans'],
  ['GetImageCopy', 'plans', PLAN],
  ['GetImageCopy', 'watches', LINES],
];

test('each operation that lasts is refused while the only place of its kind is taken', async (t) => {
  const { imgapi } = await startInProcess(t, ONE_EACH);
  const gate = new Gate(imgapi.service, 0);
  const admitted = admission(imgapi.service, gate);
  const operator = { key: undefined, isOperator: true };
  for (const [name, kind, asked] of LASTING) {
    const handler = admitted(async () => ({ status: 204 }), OPERATIONS[name], name);
    const call = { query: {}, headers: {}, remoteAddress: '127.0.0.1', ...asked } as Call;
    const serve = async () => {
      const closing: (() => void)[] = [];
      const onClose = (done: () => void) => void closing.push(done);
      try {
        return await handler(Object.assign(call, { onClose }));
      } finally {
        for (const done of closing) done();
      }
    };
    const leave = gate.take(kind, operator);
    const refusal = { code: 'ServerBusy', statusCode: 503, headers: { 'Retry-After': '5' } };
    await t.rejects(serve(), refusal, `${name} of ${kind}`);
    leave();
    t.match(await serve(), { status: 204 }, `${name} has its place again`);
  }
});

test('an account that asks too often is told when to come again; others and operators are not concerned', async (t) => {
  const { url } = await startInProcess(t, { limits: { accountRequestsPerSecond: 0.5 } });
  const ask = asker(t, url);
  const statuses = [];
  for (let i = 0; i < 8; i++) statuses.push((await ask(`/images?account=${ALICE}`)).status);
  t.equal(statuses[0], 200);
  const refused = await ask(`/images?account=${ALICE}`);
  t.match(refused, { status: 429, json: { code: 'TooManyRequests', message: ALICE } });
  t.match(refused.headers['retry-after'], /^\d+$/);
  t.equal((await ask(`/images?account=${BOB}`)).status, 200);
  for (let i = 0; i < 20; i++) t.equal((await ask('/images')).status, 200);
  t.equal((await ask('/ping')).status, 200);
  t.equal((await ask('/images?account=alice')).status, 422, 'what is no account is refused as ever');
});

test('2,000 idle connections and 200 slow ones leave the API and the metrics answering', async (t) => {
  const server = await startInProcess(t, { metrics: { address: '127.0.0.1', port: 0 } });
  const { url, imgapi, client } = server;
  const alice = client({ account: ALICE });
  const { image } = await makeImage(alice, {}, { size: 16 * MiB });
  const metricsUrl = imgapi.metricsUrl ?? '';
  const { uuid } = await alice.createImage(MANIFEST);
  const put = `PUT /images/${uuid}/file?account=${ALICE}&compression=none HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx`;
  const get = `GET /images/${image.uuid}/file?account=${ALICE} HTTP/1.1\r\nHost: x\r\n\r\n`;
  for (let i = 0; i < 200; i++) {
    const socket = await opened(t, url, i % 2 === 0 ? put : get);
    socket.pause();
  }
  for (let i = 0; i < 2000; i++) await opened(t, url);
  const fresh = (path: string): Promise<Response | undefined> =>
    globalThis.fetch(path, { headers: { connection: 'close' } }).catch(() => undefined);
  for (const path of [`${url}/ping`, `${url}/images?limit=1`, `${url}/images/${image.uuid}`, metricsUrl]) {
    // A connection that is younger than a second is not ended for another one.
    const answer = await waitFor(`an answer of ${path}`, () => fresh(path));
    t.equal(answer.status, 200, path);
    await answer.body?.cancel();
  }
  const made = await waitFor('a new image', () => alice.createImage(MANIFEST).catch(() => undefined));
  const got = await waitFor('that image', () => alice.getImage(made.uuid).catch(() => undefined));
  t.equal(got.state, 'unactivated');
});
