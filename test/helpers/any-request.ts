/**
 * Requests of any operation, made of what its row says and of what it does not: parameters, headers and body fields of
 * any type and size, some of them right.
 */
import fc from 'fast-check';
import type { Operation, Operations } from '#lib/api/operation.ts';
import { MANIFEST_FIELDS, RECORD_ONLY_FIELDS } from '#lib/manifest/fields.ts';
import { ALICE, BOB } from './accounts.ts';
import { MANIFEST } from './images.ts';

export interface AnyRequest {
  readonly name: string;
  /** With the query. */
  readonly target: string;
  readonly method: Operation['method'];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Whether it is to come from somebody who may ask. */
  readonly signed: boolean;
}

export interface AnyRequestOptions {
  /** What stands in paths, by the name of the part; any other part is like `uuid`. */
  readonly parts: Readonly<Record<string, readonly string[]>> & { readonly uuid: readonly string[] };
  readonly versions: readonly string[];
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

/** One of any of these operations. */
export function anyRequest(operations: Operations, options: AnyRequestOptions): fc.Arbitrary<AnyRequest> {
  return fc.constantFrom(...Object.entries(operations)).chain(([name, row]) => requestFor(name, row, options));
}

function requestFor(name: string, row: Operation, { parts, versions }: AnyRequestOptions): fc.Arbitrary<AnyRequest> {
  const parameters = fc.constantFrom(...keysOf(row.query), ...keysOf(row.query), ...COMMON_QUERY);
  const more = fc.dictionary(fc.constantFrom(...keysOf(row.headers), ...COMMON_HEADERS), headerText, { maxKeys: 3 });
  const names = [...row.path.matchAll(/:(\w+)/g)].map(([, part = '']) => part);
  const inPath = names.map((part) => {
    return fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...(parts[part] ?? parts.uuid)) },
      { weight: 1, arbitrary: text },
    );
  });
  return fc
    .record({
      path: fc.tuple(...inPath),
      query: fc.array(fc.tuple(parameters, text), { maxLength: 4 }),
      version: fc.constantFrom(...versions),
      type: fc.constantFrom('application/json', 'application/octet-stream', 'image/png', 'text/plain', 'x'),
      more,
      signed: fc.boolean(),
      body: row.method === 'GET' ? fc.constant(undefined) : fc.option(body, { nil: undefined }),
    })
    .map(({ path, query, version, type, more, ...rest }) => ({
      name,
      method: row.method,
      target: targetOf(row, path, query),
      headers: { 'accept-version': version, 'content-type': type, ...more },
      ...rest,
    }));
}

function targetOf(
  { path, action }: Operation,
  parts: readonly string[],
  query: readonly (readonly [string, string])[],
): string {
  const left = [...parts];
  const at = path.replaceAll(/:\w+|\*/g, () => encodeURIComponent((left.shift() ?? 'x').toWellFormed()) || 'x');
  const pairs = [...(action === undefined ? [] : [['action', action] as const]), ...query];
  const asked = pairs.map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value.toWellFormed())}`);
  return asked.length === 0 ? at : `${at}?${asked.join('&')}`;
}

/** @param excused codes above 499 that say what is not there, or what somebody else did wrong @returns undefined if there is none */
export function problemOf(status: number, reply: string, excused: readonly string[]): string | undefined {
  if (status < 400) return undefined;
  const { code, message } = JSON.parse(reply) as { readonly code?: string; readonly message?: string };
  if (code === undefined || !message) return `${status} says nothing`;
  if (message.length > 2000) return `${status} ${code} has a message of ${message.length} characters`;
  return status >= 500 && !excused.includes(code) ? `${status} ${code}: ${message}` : undefined;
}

export interface Sending {
  readonly turns: number;
  readonly atOnce: number;
  readonly seed: number;
}

/** Sends them, some at a time; if something is wrong, rejects with the fewest requests that show it. */
export function sendAny(
  request: fc.Arbitrary<AnyRequest>,
  { turns, atOnce, seed }: Sending,
  send: (request: AnyRequest) => Promise<void>,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: atOnce, maxLength: atOnce }), async (requests) => {
      await Promise.all(requests.map(send));
    }),
    { numRuns: turns, seed, interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true },
  );
}
