/** What holds for every answer: headers, the form of errors, unknown paths and methods, request ids. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { test } from 'tap';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, asker, combinations } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';
import { examplePath, methodsAt, ROUTES, routesOf } from './fixtures/route-table.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What is wrong with an answer, whatever it was asked. */
function flaws({ status, headers, bytes, text, json }: Answer): string[] {
  const found: string[] = [];
  const expect = (is: boolean, what: string): void => {
    if (!is) found.push(what);
  };
  expect(!Number.isNaN(Date.parse(headers['date'] ?? '')), 'Date');
  expect(headers['server'] === 'imgapi/test', 'Server');
  expect(UUID.test(headers['x-request-id'] ?? ''), 'x-request-id');
  expect(/^\d+$/.test(headers['x-response-time'] ?? ''), 'x-response-time');
  expect(headers['x-server-name'] === hostname(), 'x-server-name');
  expect(headers['x-powered-by'] === undefined, 'x-powered-by');
  const hasNoBody = status === 204 || status === 304;
  expect(hasNoBody || headers['content-length'] === String(bytes.length), 'Content-Length');
  if (status < 400) return found;
  expect(headers['content-type']?.startsWith('application/json') === true, 'Content-Type');
  expect(typeof json?.code === 'string' && /^[A-Z]\w+$/.test(json.code), 'code');
  expect(typeof json?.message === 'string' && json.message.length > 0, 'message');
  const unknown = Object.keys(json ?? {}).filter((key) => !['code', 'message', 'errors'].includes(key));
  expect(unknown.length === 0, `unknown keys ${unknown}`);
  for (const problem of json?.errors ?? []) {
    expect(typeof problem.field === 'string' && typeof problem.code === 'string', 'errors[]');
  }
  expect(text === JSON.stringify(json, null, 2), 'indented by two');
  return found;
}

const CONFIG = { serverName: 'imgapi/test' };

test('the routes are those of the table, and no others', async (t) => {
  const { imgapi } = await startInProcess(t);
  const routes = routesOf(imgapi.service).map(({ method, path, auth }) => [method, path, auth]);
  t.strictSame(routes.map(String).sort(), ROUTES.map(String).sort());
});

test('every answer has the headers of an answer, and every error the form of one', async (t) => {
  const { imgapi, url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  const uuids = [record.uuid, randomUUID(), 'no-uuid', '%00', '..%2f..%2fetc'];
  const queries = ['', '?account=x', '?action=x', '?limit=x&state=x', '?error=Internal', '?a[b]=c&a.b=c'];
  const wrong: string[] = [];
  for (const { route, uuid, query } of combinations({ route: ROUTES, uuid: uuids, query: queries })) {
    const [method, path] = route;
    if (!path.includes(':') && uuid !== record.uuid) continue;
    const target = examplePath(path, uuid) + query;
    const answer = await ask(target, { method });
    const found = flaws(answer);
    const isMeant = query === '?error=Internal' && path === '/ping';
    if (answer.status >= 500 && !isMeant) found.push(`status ${answer.status}`);
    if (found.length > 0) {
      wrong.push(`${method} ${target}: ${found.join(', ')}: ${answer.status} ${answer.text.slice(0, 300)}`);
    }
  }
  t.strictSame(wrong, []);
});

test('a path that there is not is 404, and so is one that does not decode', async (t) => {
  const { url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const unknown = [
    ...[
      '/nothing',
      '/images/x/nothing',
      '/image',
      '/images/x/file/nothing',
      '/images/x/file0',
      '/link/ping',
      '/metrics',
    ],
    ...['/docs/../package.json', '/docs/index.md', '/IMAGES', '/pulls', '/pulls/20260101', '/link/images/x'],
    ...['/images/%', '/images/%zz', '/images/%ff/file', '/datasets/%e0%a4'],
  ];
  for (const { path, method } of combinations({ path: unknown, method: ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] })) {
    const answer = await ask(path, { method });
    t.equal(answer.status, 404, `${method} ${path}`);
    t.strictSame(answer.json, { code: 'ResourceNotFound', message: `${path} does not exist` });
    t.strictSame(flaws(answer), []);
  }
});

test('a method that a path does not take is 405, with those that it takes', async (t) => {
  const { url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const paths = [...new Set(ROUTES.map(([, path]) => path))];
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];
  for (const path of paths) {
    const target = examplePath(path, randomUUID());
    const served = methodsAt(target);
    for (const method of methods.filter((name) => !served.includes(name))) {
      const answer = await ask(target, { method });
      t.equal(answer.status, 405, `${method} ${path}`);
      t.strictSame(answer.headers['allow']?.split(', ').sort(), served, `${method} ${path}`);
      if (method === 'HEAD') continue;
      t.equal(answer.json?.code, 'MethodNotAllowedError', `${method} ${path}`);
      t.strictSame(flaws(answer), []);
    }
  }
});

test('a slash at the end of a path means nothing', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  for (const path of ['/images', `/images/${record.uuid}`, '/ping']) {
    t.equal((await ask(`${path}/`)).status, 200, path);
  }
});

test('a plain request id is kept, and anything else gets a fresh one', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const idOf = async (headers: Readonly<Record<string, string>>, path = '/ping'): Promise<string> =>
    (await ask(path, { headers })).headers['x-request-id'] ?? 'none';
  const plain = [randomUUID(), 'a', '1.2_3-4', 'x'.repeat(128)];
  for (const id of plain) {
    for (const path of ['/ping', '/images?limit=x', '/nothing', `/images/${randomUUID()}`]) {
      t.equal(await idOf({ 'x-request-id': id }, path), id, path);
    }
    t.equal(await idOf({ 'request-id': id }), id);
  }
  t.equal(await idOf({ 'x-request-id': 'one', 'request-id': 'two' }), 'one');
  const odd = ['', 'a b', 'x'.repeat(129), '<script>', 'a,b', 'ä', '{"a":1}', "'; drop"];
  for (const id of odd) t.match(await idOf({ 'x-request-id': Buffer.from(id).toString('latin1') }), UUID, id);
  const fresh = await Promise.all(Array.from({ length: 50 }, () => idOf({})));
  t.equal(new Set(fresh).size, 50);
});

test('answers vary by version', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  for (const path of ['/images', `/images/${record.uuid}`, `/images/${randomUUID()}`, '/images?limit=x']) {
    t.equal((await ask(path)).headers['vary'], 'Accept-Version', path);
  }
});
