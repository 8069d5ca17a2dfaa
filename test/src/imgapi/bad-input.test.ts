/**
 * Every route with every parameter and body field set to what nobody expects: each answer is one that says what was
 * wrong, none is a fault of ours, and the process that answers stays the same one.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { HttpTransport } from '#lib/client/transport.ts';
import { MANIFEST_FIELDS } from '#lib/manifest/fields.ts';
import { startCopyWorker } from '#src/copies/transfer/worker.ts';
import { startMoves } from '#src/images/moving/moves.ts';
import { openAuthKeys } from '#src/imgapi/auth-keys.ts';
import type { Route } from '#src/imgapi/call.ts';
import { mainRoutes } from '#src/imgapi/routes.ts';
import { operatorTokenPath } from '#src/service/operator-token.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { spawnImgapi, startInProcess } from '../../helpers/imgapi.ts';
import { PATIENCE_MS } from '../../helpers/wait.ts';
import { bytesOf } from '../images/fixture.ts';
import { FIELDS, JSON_VALUES, PARAMETERS, VALUES } from './bad-input-values.ts';

/** Codes above 499 that say what is not there rather than that something broke. */
const ABSENT_PARTS = new Set(['StorageUnsupported', 'NotAvailable']);

interface Answer {
  readonly request: string;
  readonly status: number;
  readonly problem: string | undefined;
}

const server = await spawnImgapi(t);
const client = server.client();
const FILE = { sha1: 'a'.repeat(40), size: 1, compression: 'none' };
const { image: base } = await makeImage(client, {}, { owner: ALICE, size: 10 });
// It cannot be deleted while something builds on it, so that all routes find it.
await makeImage(client, { origin: base.uuid }, { owner: ALICE, size: 10 });
const child = await client.createImage({ ...MANIFEST, owner: ALICE, origin: base.uuid });
const transport = new HttpTransport({ url: server.url });
t.teardown(() => transport.destroy());
const token = (await readFile(operatorTokenPath(server.dataDir), 'utf8').catch(() => '')).trim();

/** The routes as the service itself lists them, so that a new one is not forgotten. */
async function routesOf(): Promise<readonly Route[]> {
  const { imgapi } = await startInProcess(t);
  const { service } = imgapi;
  const worker = startCopyWorker(service);
  t.teardown(() => worker.stop());
  return mainRoutes(service, await openAuthKeys(service), {
    worker,
    moves: startMoves(service),
    maker: { nudge() {} },
    fanOuts: { nudge() {} },
  });
}

const routes = await routesOf();

async function ask(method: string, path: string, body?: string, more: Record<string, string> = {}): Promise<Answer> {
  const request = `${method} ${path.slice(0, 200)} ${body?.slice(0, 200) ?? ''}`;
  const headers: Record<string, string> = {
    'accept-version': '~3',
    ...(token === '' ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...more,
  };
  const sent = { method: method as 'GET', path, headers, ...(body === undefined ? {} : { body }) };
  const answer = await transport.send({ ...sent, answerTimeout: PATIENCE_MS });
  const bytes = await bytesOf(answer.body);
  return { request, status: answer.status, problem: problemOf(method, answer.status, bytes) };
}

function problemOf(method: string, status: number, bytes: Buffer): string | undefined {
  if (status < 400 || method === 'HEAD') return undefined;
  let body: { code?: unknown; message?: unknown };
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    return `no JSON: ${bytes.toString().slice(0, 100)}`;
  }
  const { code, message } = body;
  if (typeof code !== 'string' || typeof message !== 'string' || message === '') return 'no code or no message';
  if (message.length > 2000) return `a message of ${message.length} characters`;
  return status >= 500 && !ABSENT_PARTS.has(code) ? `${status} ${code}: ${message}` : undefined;
}

/** Runs all of them, some at a time, and answers those that went wrong. */
async function problemsOf(requests: Iterable<() => Promise<Answer>>): Promise<{ count: number; wrong: Answer[] }> {
  const wrong: Answer[] = [];
  let count = 0;
  const queue = requests[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let next = queue.next(); !next.done; next = queue.next()) {
        const answer = await next.value();
        count++;
        if (answer.problem !== undefined) wrong.push(answer);
      }
    }),
  );
  return { count, wrong };
}

const pathOf = (path: string, uuid: string) =>
  path
    .replace(':uuid', uuid)
    .replace(':day', '20260101')
    .replace(/:\w+|\*/g, 'x');

/** `/ping?error=NAME` answers a sample of every error, also of those that are faults. */
const isMeant = (route: Route, parameter: string) => route.name === 'Ping' && parameter === 'error';

/** Every parameter on every route, each with one more value than the one before it, so that all meet in the end. */
function* queries(): Generator<() => Promise<Answer>> {
  let turn = 0;
  for (const route of routes) {
    for (const parameter of PARAMETERS) {
      if (isMeant(route, parameter)) continue;
      for (let n = 0; n < 3; n++) {
        turn++;
        const value = VALUES[turn % VALUES.length];
        const uuids = [base.uuid, route.method === 'DELETE' ? base.uuid : child.uuid, randomUUID()];
        const path = pathOf(route.path, uuids[turn % 3] ?? '');
        const action = route.name === 'UpdateImage' ? ['update', 'import', 'enable'][turn % 3] : undefined;
        const query = `${action && parameter !== 'action' ? `action=${action}&` : ''}${parameter}=${value}`;
        const body = route.method === 'POST' ? '{}' : undefined;
        yield () => ask(route.method, `${path}?${query}`, body);
      }
    }
  }
}

/** Every value of every parameter where it means something. */
function* homeQueries(): Generator<() => Promise<Answer>> {
  const list = [
    'limit',
    'marker',
    'after',
    'sort',
    'shared',
    'owner',
    'state',
    'name',
    'version',
    'os',
    'type',
    'public',
  ];
  const homes: Readonly<Record<string, readonly string[]>> = {
    'GET /images': [...list, 'billing_tag', 'tag.a', 'account', 'inclAdminFields', 'channel'],
    [`GET /images/${base.uuid}`]: ['account', 'inclAdminFields', 'channel'],
    [`GET /images/${base.uuid}/file`]: ['index', 'account'],
    [`PUT /images/${child.uuid}/file`]: ['compression', 'sha1', 'storage', 'dataset_guid', 'source', 'account'],
    [`POST /images/${base.uuid}`]: ['action', 'account'],
    [`POST /images/${base.uuid}?action=import`]: ['source', 'skip_owner_check', 'finish_by'],
    [`POST /images/${base.uuid}?action=import-remote`]: ['source', 'skip_owner_check'],
    [`POST /images/${base.uuid}?action=export`]: ['manta_path'],
    [`POST /images/${base.uuid}?action=change-stor`]: ['stor'],
    [`POST /images/${base.uuid}?action=copy-from-dc&account=${ALICE}`]: [
      'datacenter',
      'do_not_restart',
      'dry_run',
      'finish_by',
    ],
    [`POST /images/${base.uuid}?action=import-from-datacenter&account=${ALICE}`]: ['datacenter'],
    [`POST /images/${base.uuid}/acl`]: ['action', 'account'],
    [`POST /images/${base.uuid}/clone`]: ['account'],
    [`DELETE /images/${base.uuid}`]: ['force_all_channels', 'account'],
    [`GET /images/${base.uuid}/jobs`]: ['task', 'execution'],
    [`GET /images/${base.uuid}/copy`]: ['plan', 'datacenter', 'account'],
    [`POST /images/${base.uuid}/file/pull-url`]: ['index', 'renew', 'account'],
    [`GET /images/${base.uuid}/events`]: ['kind', 'limit', 'marker', 'account'],
    'GET /events': ['kind', 'limit', 'marker', 'since', 'account'],
    'GET /copies': ['state', 'datacenter', 'limit'],
    'POST /state': ['action'],
  };
  for (const [home, parameters] of Object.entries(homes)) {
    const [method = '', path = ''] = home.split(' ');
    const mark = path.includes('?') ? '&' : '?';
    for (const parameter of parameters) {
      for (const value of VALUES) {
        const twice = `${parameter}=${value}&${parameter}=${value}`;
        for (const query of [`${parameter}=${value}`, twice]) {
          yield () => ask(method, `${path}${mark}${query}`, method === 'POST' ? '{"uuid":"x"}' : undefined);
        }
      }
    }
  }
}

/** A body that is fine but for one field. */
function* bodies(): Generator<() => Promise<Answer>> {
  const imported = randomUUID();
  const targets: readonly [path: string, body: () => object][] = [
    ['/images', () => ({ ...MANIFEST, owner: ALICE })],
    [`/images/${child.uuid}?action=update`, () => ({})],
    [`/images/${imported}?action=import`, () => ({ ...MANIFEST, v: 2, uuid: imported, owner: ALICE, colour: 'red' })],
    // With a file, because some fields are read to check others.
    [`/images/${imported}?action=import`, () => ({ ...MANIFEST, v: 2, uuid: imported, owner: ALICE, files: [FILE] })],
    [`/images/${child.uuid}?action=update&account=${ALICE}`, () => ({})],
  ];
  for (const [path, body] of targets) {
    for (const field of FIELDS) {
      for (const value of JSON_VALUES) {
        // As text, because `__proto__` is no ordinary key of a literal.
        const pairs = [...Object.entries(body()).filter(([name]) => name !== field), [field, value]];
        const text = pairs.map(([name, it]) => `${JSON.stringify(name)}:${JSON.stringify(it)}`).join(',');
        yield () => ask('POST', path, `{${text}}`);
      }
    }
  }
}

/** The same where another body than a manifest is expected, and where none is. */
function* otherBodies(): Generator<() => Promise<Answer>> {
  for (const route of routes.filter(({ method }) => method !== 'GET')) {
    for (const value of JSON_VALUES) {
      const body = JSON.stringify(value);
      const path = pathOf(route.path, route.method === 'DELETE' ? base.uuid : child.uuid);
      yield () => ask(route.method, path, body);
      for (const field of ['channel', 'file_url', 'name', 'url', 'token', 'allowed_accounts', 'pull_origins']) {
        const query = route.path.endsWith('/from-url') ? '?compression=none' : '';
        yield () => ask(route.method, path + query, JSON.stringify({ [field]: value }));
      }
    }
    for (const body of ['{', '\u0000', 'null', '[]', '"', '{"a":'.repeat(2000)]) {
      const path = pathOf(route.path, base.uuid);
      yield () => ask(route.method, path, body);
      yield () => ask(route.method, path, body, { 'content-encoding': 'gzip' });
      yield () => ask(route.method, path, body, { 'content-md5': 'x' });
      yield () => ask(route.method, path, body, { 'content-type': 'text/plain' });
    }
  }
}

/** Nearly a megabyte in one field. */
function* hugeFields(): Generator<() => Promise<Answer>> {
  const huge = 'x'.repeat(1_000_000);
  for (const field of MANIFEST_FIELDS) {
    for (const value of [huge, [huge], { [huge]: huge.slice(0, 1000) }]) {
      const body = JSON.stringify({ ...MANIFEST, owner: ALICE, [field]: value });
      yield () => ask('POST', '/images', body);
    }
  }
  yield () => ask('POST', `/images/${base.uuid}/acl`, JSON.stringify([huge]));
  yield () => ask('POST', `/images/${base.uuid}/acl`, JSON.stringify(Array.from({ length: 20_000 }, () => ALICE)));
  yield () => ask('POST', `/images/${child.uuid}?action=update`, JSON.stringify({ description: huge }));
  yield () => ask('POST', `/images/${base.uuid}/file/from-url?compression=none`, JSON.stringify({ file_url: huge }));
}

function* paths(): Generator<() => Promise<Answer>> {
  for (const route of routes.filter(({ path }) => path.includes(':'))) {
    for (const value of VALUES) {
      const path = route.path.replace(/:\w+/g, value || 'x');
      yield () => ask(route.method, path, route.method === 'POST' ? '{}' : undefined);
      yield () => ask(route.method, `${path}/`, undefined);
    }
  }
}

for (const [name, requests] of Object.entries({
  'every parameter on every route': queries,
  'every value of a parameter where it means something': homeQueries,
  'every field of a manifest': bodies,
  'every field of other bodies, and bodies where none is expected': otherBodies,
  'fields of nearly a megabyte': hugeFields,
  'every part of a path': paths,
})) {
  t.test(`${name} is answered, whatever is sent`, async (t) => {
    const { count, wrong } = await problemsOf(requests());
    t.comment(`${count} requests`);
    t.same(wrong.slice(0, 10), []);
    t.equal(server.process.exitCode, null);
  });
}

t.test('all HTTP methods are taken or refused on every route', async (t) => {
  const wrong: Answer[] = [];
  for (const route of routes) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      if (method === 'DELETE' && route.path === '/images/:uuid') continue;
      const answer = await ask(method, pathOf(route.path, base.uuid));
      if (answer.problem !== undefined) wrong.push(answer);
    }
  }
  t.same(wrong, []);
});

t.test('the process is the one that was started, and its images are as they were', async (t) => {
  t.equal((await client.ping()).pid, server.process.pid);
  t.equal(server.process.exitCode, null);
  t.match(await client.getImage(base.uuid), { uuid: base.uuid, files: base.files });
  t.equal((await client.getImage(child.uuid)).uuid, child.uuid);
});
