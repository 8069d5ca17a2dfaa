/** The metrics listener, through a real socket, in every mode; and what it has to tell. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { IMAGES } from '#lib/manifest/record.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST } from '../../helpers/images.ts';
import { type ConfigKeys, startInProcess } from '../../helpers/imgapi.ts';
import { said, statuses } from '../../helpers/raw-socket.ts';
import { ufdsFor } from '../../helpers/ufds.ts';
import { send } from '../images/fixture.ts';

const get = (path: string, method = 'GET') => `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;

async function start(t: Test, keys: ConfigKeys) {
  const server = await startInProcess(t, keys);
  const { metricsUrl = '' } = server.imgapi;
  return { ...server, origin: new URL(metricsUrl).origin, scrape: () => said(metricsUrl, get('/metrics')) };
}

const MODES: readonly (readonly [name: string, keys: ConfigKeys])[] = [
  // Where Triton's monitoring looks for it: the admin network's address, port 8881. Any loopback address will do here.
  ['dc with adminIp', { mode: 'dc', adminIp: `127.${(process.pid % 200) + 1}.8.81` }],
  ['dc', { mode: 'dc', metrics: { port: 0 } }],
  ['private', { mode: 'private', metrics: { port: 0 } }],
  ['public', { mode: 'public', authType: 'signature', metrics: { port: 0 } }],
];

for (const [name, keys] of MODES) {
  test(`in mode ${name} metrics are answered, and every other path is told not to be there`, async (t) => {
    const { origin, scrape } = await start(t, keys);
    const text = await scrape();
    t.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    t.match(text, /\r\nContent-Type: text\/plain; version=0\.0\.4/);
    t.match(text, /^process_cpu_seconds_total/m);
    t.same(statuses(await said(origin, get('/metrics', 'HEAD'))), [200]);
    t.same(statuses(await said(origin, get('/'))), [404]);
    t.same(statuses(await said(origin, get('/images'))), [404], 'the API is not served here');
    t.same(statuses(await said(origin, get('/metrics', 'DELETE'))), [405]);
    t.same(statuses(await said(origin, 'nonsense\r\n\r\n')), [400]);
  });
}

/** The labels of each line of a metric. */
function series(text: string, metric: string): Record<string, string>[] {
  return [...text.matchAll(new RegExp(`^${metric}\\{(.*)\\} (\\S+)$`, 'gm'))].map(([, labels = '', value = '']) => ({
    ...Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, label]) => [name, label])),
    value,
  }));
}

test('requests have the names and labels of the IMGAPI before this one', async (t) => {
  const [instance, server] = [randomUUID(), randomUUID()];
  const keys = { metrics: { port: 0 }, instanceUuid: instance, serverUuid: server };
  const { url, scrape } = await start(t, keys);
  const headers = { 'user-agent': 'restify/1.5.2 (x64-sunos; v8/3.14.5.9; OpenSSL/1.0.1g) node/0.10.28' };
  await send(url, { path: `/images/${randomUUID()}`, headers });
  await send(url, { path: '/images?limit=1', headers });
  await send(url, { path: '/images?limit=1', headers });
  await send(url, { path: '/nowhere' });
  const text = await scrape();
  const common = { datacenter: 'test-1', service: 'imgapi', instance, server, method: 'GET' };
  const list = { ...common, route: 'listimages', operation: 'listimages', status_code: '200' };
  const restify = { user_agent: 'restify/1.5.2' };
  for (const [metric, count] of [
    ['http_requests_completed', '2'],
    ['http_request_duration_seconds_count', '2'],
  ] as const) {
    const found = series(text, metric);
    const of = (route: string) => found.find((labels) => labels['route'] === route);
    t.match(of('listimages'), { ...list, ...restify, value: count });
    t.match(of('getimage'), { ...common, ...restify, operation: 'getimage', status_code: '404', value: '1' });
    t.match(of('unknown'), { ...common, user_agent: 'unknown', status_code: '404', value: '1' });
  }
  t.match(text, /^# TYPE http_requests_completed counter$/m);
  t.match(text, /^# TYPE http_request_duration_seconds histogram$/m);
});

test('a copy and an activation are told apart, under the one name of their route that dashboards know', async (t) => {
  const { url, scrape } = await start(t, { metrics: { port: 0 } });
  const asked: readonly (readonly [query: string, operation: string])[] = [
    ['?action=activate', 'activateimage'],
    ['?action=copy-from-dc', 'copyimagefromdc'],
    ['?action=update', 'updateimage'],
    ['?action=nonsense', 'unknown'],
    ['?action=activate&action=activate', 'unknown'],
    ['', 'unknown'],
    ['/acl', 'addimageacl'],
    ['/acl?action=remove', 'removeimageacl'],
    ['/acl?action=nonsense', 'unknown'],
  ];
  for (const [query] of asked) await send(url, { method: 'POST', path: `/images/${randomUUID()}${query}` });
  const found = series(await scrape(), 'http_requests_completed').map(
    ({ route, operation }) => `${route} ${operation}`,
  );
  const routeOf = (query: string) => (query.startsWith('/acl') ? 'imageacl' : 'updateimage');
  const expected = new Set(asked.map(([query, operation]) => `${routeOf(query)} ${operation}`));
  t.same([...new Set(found)].toSorted(), [...expected].toSorted());
});

test('clients cannot make the metrics grow by new names', async (t) => {
  const { url, scrape } = await start(t, { metrics: { port: 0 } });
  const strange = ['x'.repeat(500), 'a"b\\c', '\u00e4', ' ', ''];
  const agents = [...strange, ...Array.from({ length: 200 }, (_, i) => `client-${i}/1.0`)];
  for (const agent of agents) await send(url, { path: '/images?limit=1', headers: { 'user-agent': agent } });
  for (let i = 0; i < 50; i += 1) await send(url, { path: `/nowhere/${i}` });
  const found = series(await scrape(), 'http_requests_completed');
  t.ok(found.length <= 30, `${found.length} series`);
  const total = found.reduce((sum, { value }) => sum + Number(value), 0);
  t.equal(total, agents.length + 50, 'each request is counted all the same');
  t.match(
    found.find(({ user_agent }) => user_agent === 'other'),
    { value: /^\d\d\d$/ },
  );
});

test('of the stores it is told how often, how long, and how it ended', async (t) => {
  const { imgapi, scrape } = await start(t, { metrics: { port: 0 } });
  const { store, storages } = imgapi.service;
  for (let i = 0; i < 200; i += 1) await store.get(IMAGES, 'x');
  await t.rejects(store.count(IMAGES, { op: 'exists', field: 'nothing' }));
  const session = await storages.named('local').open({ path: 'images/x', session: 'upload.x' });
  await session.append(Readable.from([Buffer.from('x')]));
  await session.commit();
  await t.rejects(storages.named('local').hash('images/y'));
  await t.rejects(storages.named('local').signUrl('images/x', new Date()));
  const text = await scrape();
  const documents = series(text, 'document_store_operations_total');
  const objects = series(text, 'object_store_operations_total');
  const common = { datacenter: 'test-1', service: 'imgapi' };
  const sqlite = { ...common, store: 'sqlite' };
  const local = { ...common, store: 'local' };
  t.ok(Number(documents.find(({ operation }) => operation === 'get')?.['value']) >= 192, 'counted by 64');
  t.match(
    documents.find(({ operation }) => operation === 'count'),
    { ...sqlite, result: 'NotIndexedError', value: '1' },
  );
  t.match(
    objects.find(({ operation }) => operation === 'commit'),
    { ...local, result: 'ok', value: '1' },
  );
  t.match(
    objects.find(({ operation }) => operation === 'hash'),
    { ...local, result: 'ObjectNotFoundError', value: '1' },
  );
  t.match(
    objects.find(({ operation }) => operation === 'signUrl'),
    { result: 'UnsupportedError' },
  );
  for (const metric of ['document_store_operation_duration_seconds', 'object_store_operation_duration_seconds']) {
    t.match(text, new RegExp(`^# TYPE ${metric} histogram$`, 'm'));
    t.ok(series(text, `${metric}_count`).length > 0);
  }
});

test('look-ups of accounts are counted: those that memory answers, and those that the directory has to', async (t) => {
  const ufds = await ufdsFor(t);
  const { client, scrape } = await start(t, { ...ufds.keys, mode: 'dc', metrics: { port: 0 } });
  const asked = client({ version: '~3' });
  const { uuid } = await asked.createImage({ ...MANIFEST, owner: ALICE });
  await asked.getImage(uuid);
  await ufds.double.takeDown();
  await t.rejects(asked.addImageAcl(uuid, ['bob']), { code: 'ServiceUnavailable' } as unknown as Error);
  const lines = (await scrape()).split('\n');
  const counted = (name: string, ...labels: readonly string[]) => {
    const line = lines.find((one) => one.startsWith(`${name}{`) && labels.every((label) => one.includes(label)));
    return Number(line?.split(' ').at(-1) ?? 0);
  };
  const directory = 'account_store_operations_total';
  t.ok(counted(directory, 'store="ufds"', 'operation="byUuids"', 'result="ok"') >= 1);
  t.equal(counted(directory, 'operation="byLogin"', 'result="DirectoryUnavailableError"'), 1);
  t.ok(counted('account_store_operation_duration_seconds_count', 'store="ufds"', 'operation="byUuids"') >= 1);
  for (const answer of ['hit', 'miss']) t.ok(counted('account_cache_lookups_total', `answer="${answer}"`) >= 1, answer);
});
