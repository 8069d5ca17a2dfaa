/**
 * Requests of every operation, made of what its row says and of what it does not: parameters, headers and body fields of
 * any type and size, some of them right. Each is answered as the contract says, none is a fault of ours, the process
 * stays the same one, and what it takes of memory does not grow.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { test } from 'tap';
import { Pool } from 'undici';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import type { Operation } from '#lib/api/operation.ts';
import { MANIFEST_FIELDS, RECORD_ONLY_FIELDS } from '#lib/manifest/fields.ts';
import { operatorTokenPath } from '#src/datacenters/links/operator-token.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { spawnImgapi } from '../../helpers/imgapi.ts';
import { residentBytes } from '../../helpers/resident.ts';
import { PATIENCE_MS } from '../../helpers/wait.ts';

const AT_ONCE = 50;
const TURNS = 430;
/** After so many turns its caches are full, and V8 has compiled what it will. */
const WARM_TURNS = 120;
const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_127);
const MIB = 2 ** 20;

/** Codes above 499 that say what is not there, or what somebody else did wrong. */
const EXCUSED = new Set(['StorageUnsupported', 'NotAvailable', 'RemoteSourceError']);

interface Request {
  readonly name: keyof typeof IMGAPI;
  readonly uuid: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Nobody listens there, so that nothing leaves this machine. */
const NOWHERE = 'http://127.0.0.1:9';

const RIGHT_VALUES = [
  ...['true', 'false', '0', '1', '20', 'active', 'all', 'disabled', 'creating', 'gzip', 'none', 'xz', 'local', 'manta'],
  ...['published_at.desc', 'zvol', 'smartos', '~a', '!docker', 'import', 'update', 'enable', 'dev', '*', NOWHERE],
  ...[ALICE, BOB, '2026-01-02T03:04:05Z', 'a'.repeat(40), '/alice/stor/x', 'bob', 'dropcaches', 'remove'],
];

const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...RIGHT_VALUES) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.double().map(String) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom('', '\0', '__proto__', 'constructor', '../..', 'x'.repeat(3000)) },
);

/** Text as it may stand in a header. */
const headerText = text.map((value) => value.replaceAll(/[^\x20-\x7e]/g, '?').trim());

const jsonValue = fc.oneof(
  { weight: 3, arbitrary: text },
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom([ALICE], [ALICE, 'bob'], { a: 'b' }, [{ name: 'x' }], [[]], {}, null) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }).map((length) => 'x'.repeat(length)) },
);

const FIELDS = [...MANIFEST_FIELDS, ...RECORD_ONLY_FIELDS, 'channel', 'file_url', 'token', 'url', 'roles', '__proto__'];
const manifest = fc
  .dictionary(fc.constantFrom(...FIELDS), jsonValue, { maxKeys: 5 })
  .map((fields) => ({ ...MANIFEST, owner: ALICE, ...fields }));

const body = fc.oneof(
  { weight: 4, arbitrary: manifest.map((value) => JSON.stringify(value)) },
  {
    weight: 3,
    arbitrary: fc.dictionary(fc.constantFrom(...FIELDS), jsonValue, { maxKeys: 3 }).map((v) => JSON.stringify(v)),
  },
  { weight: 2, arbitrary: jsonValue.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
);

const COMMON_QUERY = ['account', 'action', 'channel', 'limit', 'inclAdminFields', 'source', '__proto__'];
const COMMON_HEADERS = ['if-match', 'if-none-match', 'range', 'content-md5', 'x-request-id', 'authorization', 'date'];

const keysOf = (schema: { readonly properties: object } | undefined): string[] => Object.keys(schema?.properties ?? {});

function requestOf(name: keyof typeof IMGAPI, uuids: readonly string[], token: string): fc.Arbitrary<Request> {
  const row: Operation = IMGAPI[name];
  const parameters = fc.constantFrom(...keysOf(row.query), ...keysOf(row.query), ...COMMON_QUERY);
  const headers = fc.dictionary(fc.constantFrom(...keysOf(row.headers), ...COMMON_HEADERS), headerText, { maxKeys: 3 });
  return fc.record({
    name: fc.constant(name),
    uuid: fc.oneof(fc.constantFrom(...uuids), text),
    query: fc.array(fc.tuple(parameters, text), { maxLength: 4 }),
    headers: fc
      .record({
        version: fc.constantFrom('~1', '~2', '~3', '*', '~99'),
        type: fc.constantFrom('application/json', 'application/octet-stream', 'image/png', 'text/plain', 'x'),
        more: headers,
        signed: fc.boolean(),
      })
      .map(({ version, type, more, signed }) => ({
        'accept-version': version,
        'content-type': type,
        ...more,
        ...(signed && { authorization: `Bearer ${token}` }),
      })),
    body: row.method === 'GET' ? fc.constant(undefined) : fc.option(body, { nil: undefined }),
  });
}

function targetOf({ name, uuid, query }: Request): string {
  const { path, action }: Operation = IMGAPI[name];
  const at = path.replaceAll(/:\w+|\*/g, encodeURIComponent(uuid.toWellFormed()) || 'x');
  const pairs = [...(action === undefined ? [] : [['action', action]]), ...query] as [string, string][];
  const asked = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value.toWellFormed())}`);
  return asked.length === 0 ? at : `${at}?${asked.join('&')}`;
}

/** @returns undefined if there is none */
function problemOf(status: number, reply: string): string | undefined {
  if (status < 400) return undefined;
  const { code, message } = JSON.parse(reply) as { readonly code?: string; readonly message?: string };
  if (code === undefined || !message) return `${status} says nothing`;
  if (message.length > 2000) return `${status} ${code} has a message of ${message.length} characters`;
  return status >= 500 && !EXCUSED.has(code) ? `${status} ${code}: ${message}` : undefined;
}

test('whatever is asked of whichever operation is answered, and leaves nothing behind', async (t) => {
  const server = await spawnImgapi(t);
  const client = server.client();
  const { image: base } = await makeImage(client, {}, { owner: ALICE, size: 10 });
  // It cannot be deleted while something builds on it.
  await makeImage(client, { origin: base.uuid }, { owner: ALICE, size: 10 });
  const child = await client.createImage({ ...MANIFEST, owner: ALICE });
  const token = (await readFile(operatorTokenPath(server.dataDir), 'utf8')).trim();
  const pool = new Pool(server.url, { connections: AT_ONCE, headersTimeout: PATIENCE_MS, bodyTimeout: PATIENCE_MS });
  t.teardown(() => pool.destroy());

  const statuses = new Map<number, number>();
  const send = async (request: Request): Promise<void> => {
    const row: Operation = IMGAPI[request.name];
    // A sample of every error, of faults too.
    if (request.name === 'Ping' && request.query.some(([key]) => key === 'error')) return;
    const { method } = row;
    const { statusCode, body: reply } = await pool.request({
      ...{ method, path: targetOf(request), headers: request.headers },
      ...(request.body !== undefined && { body: request.body }),
    });
    const problem = problemOf(statusCode, await reply.text());
    statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
    if (problem !== undefined) throw new Error(`${request.name}: ${problem}`);
  };

  const names = Object.keys(IMGAPI) as (keyof typeof IMGAPI)[];
  const uuids = [base.uuid, child.uuid, randomUUID()];
  const request = fc.constantFrom(...names).chain((name) => requestOf(name, uuids, token));
  const run = (numRuns: number, seed: number): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: AT_ONCE, maxLength: AT_ONCE }), async (requests) => {
        await Promise.all(requests.map(send));
      }),
      { numRuns, seed, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true },
    );

  await run(WARM_TURNS, SEED);
  const pid = server.process.pid as number;
  const isMeasured = process.platform === 'linux';
  const before = isMeasured ? (await residentBytes(pid)).now : 0;
  await run(TURNS - WARM_TURNS, SEED + 1);
  const after = isMeasured ? (await residentBytes(pid)).now : 0;
  const tally = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${count} x ${status}`);
  t.comment(`${tally.join(', ')}; ${Math.round(before / MIB)} MiB, then ${Math.round(after / MIB)} MiB`);
  t.ok(after - before < 60 * MIB, `${Math.round((after - before) / MIB)} MiB more`);
  const sent = [...statuses.values()].reduce((sum, count) => sum + count, 0);
  t.ok(sent >= 20_000, `${sent} requests`);
  t.ok((statuses.get(200) ?? 0) > 1000, 'many of them are right');
  t.equal((await client.ping()).pid, pid);
  t.match(await client.getImage(base.uuid), { uuid: base.uuid, files: base.files });
});
