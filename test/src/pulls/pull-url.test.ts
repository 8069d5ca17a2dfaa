import { randomUUID } from 'node:crypto';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { PULLS } from '#lib/api/imgapi/pulls.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { UnsupportedError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { operationRoutes } from '#src/http-kit/operations.ts';
import { listen } from '#src/http-kit/server.ts';
import { Gate } from '#src/imgapi/admission.ts';
import { IMGAPI } from '#src/imgapi/listener.ts';
import { pullHandlers } from '#src/imgapi/routes/pulls.ts';
import { createPullUrl, type PullUrlRequest } from '#src/pulls/create-pull-url.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { endPull } from '#src/pulls/pull-link.ts';
import { reapPulls } from '#src/pulls/reaper.ts';
import { pullSecret } from '#src/pulls/url-secret.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { type Datacenter, putImage, setConfig, startLinked } from '../../helpers/datacenter.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

function ask(dc: Datacenter, uuid: string, more: Partial<PullUrlRequest> = {}): PullUrlRequest {
  return { uuid, index: 0, account: ALICE, datacenter: 'us-east-1', requestId: randomUUID(), baseUrl: dc.url, ...more };
}

async function get(url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const answer = await request(url, { method, headers });
  return {
    status: answer.statusCode,
    headers: answer.headers,
    bytes: Buffer.from(await answer.body.arrayBuffer()),
  };
}

async function deleteImage({ service }: Datacenter, uuid: string): Promise<void> {
  await service.store.batch([{ op: 'del', bucket: IMAGES, key: uuid }]);
  await service.storages.named('local').removeTree(`images/${uuid.slice(0, 3)}/${uuid}`);
}

/** An object store without second names, as Manta v2. */
function withoutLinks(local: ObjectStore): ObjectStore {
  return new Proxy(local, {
    get(target, property) {
      if (property === 'link') return () => Promise.reject(new UnsupportedError('supportsLink', 'no links here'));
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('a pull URL reads the file, in whole and in part, with nothing but the URL', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record, bytes, sha1 } = await putImage(dc, ALICE);
  const pull = await createPullUrl(dc.service, ask(dc, record.uuid));
  t.match(pull, { size: bytes.length, sha1, sha256: /^[0-9a-f]{64}$/, md5: /==$/, direct: false });
  t.ok((await get(pull.url)).bytes.equals(bytes));
  const part = await get(pull.url, { range: 'bytes=100-199', 'if-match': sha1 });
  t.match(part, { status: 206, headers: { 'content-range': `bytes 100-199/${bytes.length}` } });
  t.ok(part.bytes.equals(bytes.subarray(100, 200)));
  t.equal((await get(pull.url, { 'if-match': '0'.repeat(40) })).status, 412);
  t.equal((await get(pull.url, { range: 'bytes=60000-' })).status, 416);
  t.match(await get(pull.url, {}, 'HEAD'), { status: 200, headers: { 'content-length': String(bytes.length) } });
});

test('the link lies in the directory of its day, under image and request', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record, bytes } = await putImage(dc, ALICE);
  const requestId = randomUUID();
  const { reqid } = await createPullUrl(dc.service, ask(dc, record.uuid, { requestId }));
  t.equal(reqid, requestId);
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
  const info = await dc.service.storages.named('local').info(`pulls/${day}/${record.uuid}.file0.${requestId}`);
  t.equal(info?.size, bytes.length);
});

test('a request id that comes twice, or is none, gives two links', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record } = await putImage(dc, ALICE);
  const requestId = randomUUID();
  const ids = [requestId, requestId, '../../etc/passwd'];
  const atOnce = await Promise.all(ids.map((id) => createPullUrl(dc.service, ask(dc, record.uuid, { requestId: id }))));
  const later = await createPullUrl(dc.service, ask(dc, record.uuid, { requestId }));
  t.equal(new Set([...atOnce, later].map(({ reqid }) => reqid)).size, 4);
  for (const { url } of [...atOnce, later]) t.equal((await get(url, {}, 'HEAD')).status, 200);
});

test('the URL lasts less than a day', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record } = await putImage(dc, ALICE);
  const { url, expires } = await createPullUrl(dc.service, ask(dc, record.uuid));
  t.ok(Date.parse(expires) - Date.now() < DAY_MS);
  dc.clock.ahead = Date.parse(expires) - Date.now() - 5_000;
  t.equal((await get(url)).status, 200);
  dc.clock.ahead += 10_000;
  const late = await get(url);
  t.equal(late.status, 401);
  t.match(late.bytes.toString(), /expired at/);
});

test('a URL that was changed in any part opens nothing', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record } = await putImage(dc, ALICE);
  const other = await putImage(dc, BOB);
  const { url, reqid } = await createPullUrl(dc.service, ask(dc, record.uuid));
  const changes: [string, string][] = [
    ['expiry', url.replace(/expires=\d+/, 'expires=9999999999')],
    ['image', url.replace(record.uuid, other.record.uuid)],
    ['link', url.replace(reqid, randomUUID())],
    ['day', url.replace(/pulls\/\d{8}/, 'pulls/20200101')],
    ['signature', url.replace(/signature=../, 'signature=AA')],
    ['no signature', url.replace(/\?.*/, '')],
    ['another parameter', `${url}&x=1`],
    ['a way out', url.replace(/pulls\/\d{8}/, 'pulls/..%2f..')],
  ];
  for (const [what, changed] of changes) {
    const { status } = await get(changed);
    t.ok(status === 401 || status === 404, `${what}: ${status}`);
  }
});

test('deleting the image does not break a transfer under way, and the link is renewed', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record, bytes } = await putImage(dc, ALICE);
  const first = await createPullUrl(dc.service, ask(dc, record.uuid));
  await deleteImage(dc, record.uuid);
  t.ok((await get(first.url)).bytes.equals(bytes), 'the old URL goes on');

  dc.clock.ahead = DAY_MS;
  t.equal((await get(first.url)).status, 401, 'until it expires');
  const second = await createPullUrl(dc.service, ask(dc, record.uuid, { renew: first.reqid }));
  t.equal(second.reqid, first.reqid);
  t.ok((await get(second.url)).bytes.equals(bytes));

  // Day after day, with the reaper at work: as long as somebody renews it, it stays.
  for (let day = 2; day <= 7; day++) {
    dc.clock.ahead = day * DAY_MS;
    const { url } = await createPullUrl(dc.service, ask(dc, record.uuid, { renew: first.reqid }));
    await reapPulls(dc.service);
    t.ok((await get(url)).bytes.equals(bytes), `day ${day}`);
  }
  dc.clock.ahead = 11 * DAY_MS;
  await reapPulls(dc.service);
  await t.rejects(createPullUrl(dc.service, ask(dc, record.uuid, { renew: first.reqid })), {
    code: 'ResourceNotFound',
  });
  t.equal(await dc.service.store.count(PULL_LINKS), 0);
});

test('a link is renewed only by whoever made it, for the same file', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record } = await putImage(dc, ALICE);
  const other = await putImage(dc, ALICE);
  const { reqid: renew } = await createPullUrl(dc.service, ask(dc, record.uuid));
  const strangers: Partial<PullUrlRequest>[] = [
    { datacenter: 'eu-ams-1' },
    { datacenter: undefined, account: undefined },
    { account: BOB },
    { uuid: other.record.uuid },
    { index: 1 },
  ];
  for (const stranger of strangers) {
    const request = ask(dc, record.uuid, { ...stranger, renew });
    await t.rejects(createPullUrl(dc.service, request), { code: 'ResourceNotFound' }, JSON.stringify(stranger));
  }
});

test('a link whose object was lost is made again from the image, as long as that has the same file', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record, bytes } = await putImage(dc, ALICE);
  const { reqid } = await createPullUrl(dc.service, ask(dc, record.uuid));
  await dc.service.storages.named('local').removeTree('pulls');
  const again = await createPullUrl(dc.service, ask(dc, record.uuid, { renew: reqid }));
  t.ok((await get(again.url)).bytes.equals(bytes));

  await dc.service.storages.named('local').removeTree('pulls');
  await putImage(dc, ALICE, { uuid: record.uuid });
  await t.rejects(createPullUrl(dc.service, ask(dc, record.uuid, { renew: reqid })), { code: 'ResourceNotFound' });
});

test('an image of somebody else, an absent one and one without a file have no pull URL', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const bobs = await putImage(dc, BOB, { public: true });
  const empty = await putImage(dc, ALICE, { state: 'unactivated', activated: false, files: [] });
  for (const uuid of [bobs.record.uuid, empty.record.uuid, randomUUID()]) {
    await t.rejects(createPullUrl(dc.service, ask(dc, uuid)), { code: 'ResourceNotFound' });
  }
  t.equal(await dc.service.store.count(PULL_LINKS), 0);
});

test('where the store has no links the URL reads the image itself, and says so', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1', { storage: withoutLinks });
  const { record, bytes } = await putImage(dc, ALICE);
  const pull = await createPullUrl(dc.service, ask(dc, record.uuid));
  t.equal(pull.direct, true);
  t.ok((await get(pull.url)).bytes.equals(bytes));
  const renewed = await createPullUrl(dc.service, ask(dc, record.uuid, { renew: pull.reqid }));
  t.equal(renewed.direct, true);

  dc.clock.ahead = 10 * DAY_MS;
  const { objects, links } = await reapPulls(dc.service);
  t.strictSame([objects.length, links.length], [0, 1]);
  t.ok(
    await dc.service.storages.named('local').info(imageObjectPath(record.uuid, 'file0')),
    'the reaper leaves the image alone',
  );

  const last = await createPullUrl(dc.service, ask(dc, record.uuid));
  await deleteImage(dc, record.uuid);
  t.equal((await get(last.url)).status, 404);
  await t.rejects(createPullUrl(dc.service, ask(dc, record.uuid, { renew: last.reqid })), { code: 'ResourceNotFound' });
});

test('a datacenter that sends nobody to its store gives linked datacenters no pull URLs', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  setConfig(dc, 'pulls', { redirect: false });
  const { record } = await putImage(dc, ALICE);
  await t.rejects(createPullUrl(dc.service, ask(dc, record.uuid)), { code: 'StorageUnsupported', statusCode: 503 });
  await createPullUrl(dc.service, ask(dc, record.uuid, { datacenter: undefined, account: undefined }));
});

test('pulls.publicUrl is the base of the URLs', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  setConfig(dc, 'pulls', { publicUrl: 'https://pulls.example.com/west/' });
  const { record } = await putImage(dc, ALICE);
  const { url } = await createPullUrl(dc.service, ask(dc, record.uuid));
  t.match(url, /^https:\/\/pulls\.example\.com\/west\/pulls\/\d{8}\//);
});

test('processes that need the secret at once agree on one', async (t) => {
  const { service } = await startLinked(t, 'us-west-1', 'us-east-1');
  const secrets = await Promise.all(Array.from({ length: 8 }, () => pullSecret(service)));
  t.equal(new Set(secrets.map((secret) => secret.toString('hex'))).size, 1);
});

test('on the main port operators get pull URLs, accounts do not', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record, bytes } = await putImage(dc, ALICE);
  const url = await mainPort(t, dc);
  const post = async (path: string) => {
    const answer = await request(`${url}${path}`, { method: 'POST' });
    return { status: answer.statusCode, json: (await answer.body.json()) as Record<string, unknown> };
  };
  const made = await post(`/images/${record.uuid}/file/pull-url`);
  t.equal(made.status, 200);
  t.equal(new URL(String(made.json['url'])).origin, url, 'and read them there');
  t.ok((await get(String(made.json['url']))).bytes.equals(bytes));
  const renewed = await post(`/images/${record.uuid}/file/pull-url?renew=${made.json['reqid']}`);
  t.equal(renewed.json['reqid'], made.json['reqid']);
  t.match(await post(`/images/${record.uuid}/file/pull-url?account=${ALICE}`), {
    status: 403,
    json: { code: 'OperatorOnly' },
  });
  t.match(await post(`/images/${record.uuid}/file/pull-url?index=7`), {
    status: 422,
    json: { code: 'InvalidParameter' },
  });
  t.match(await post(`/images/${record.uuid}/file/pull-url?renew=x`), {
    status: 422,
    json: { code: 'InvalidParameter' },
  });
  t.equal((await post('/images/nonsense/file/pull-url')).status, 404);
});

async function mainPort(t: Test, { service }: Datacenter): Promise<string> {
  const listener = await listen(
    {
      routes: operationRoutes(PULLS, pullHandlers(service, new Gate(service, 0))),
      log: service.log,
      serverName: 'test',
      limits: { json: 1024 },
      ...IMGAPI,
      authenticate: async () => ({}),
    },
    '127.0.0.1',
    0,
  );
  t.teardown(() => listener.close({ patience: 0 }));
  return listener.url;
}

test('a linked datacenter makes no more than a hundred pull links of an image, ended or not; others are not hindered', async (t) => {
  const dc = await startLinked(t, 'us-west-1', 'us-east-1');
  const { record } = await putImage(dc, ALICE);
  const other = await putImage(dc, ALICE);
  const made = await Promise.all(Array.from({ length: 100 }, () => createPullUrl(dc.service, ask(dc, record.uuid))));
  const [first] = made;
  await endPull(dc.service, { reqid: first!.reqid, datacenter: 'us-east-1' });
  await t.rejects(createPullUrl(dc.service, ask(dc, record.uuid)), { code: 'TooManyRequests' });
  await createPullUrl(dc.service, ask(dc, record.uuid, { renew: made[1]!.reqid }));
  await createPullUrl(dc.service, ask(dc, other.record.uuid));
  await createPullUrl(dc.service, ask(dc, record.uuid, { datacenter: 'eu-ams-1' }));
  await createPullUrl(dc.service, ask(dc, record.uuid, { datacenter: undefined, account: undefined }));
});
