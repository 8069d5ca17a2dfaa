/** Checks an answer of a server against the row of its operation. */
import type { IncomingMessage } from 'node:http';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Operation, Reply } from '#lib/api/operation.ts';
import { ErrorBody } from '#lib/api/schemas/error.ts';
import type { Contract } from './contracts.ts';
import type { Answer } from './watch.ts';

type Request = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

/** @returns what is wrong with it, and with which answer */
export function problemWith(contract: Contract, request: Request, answer: Answer): string | undefined {
  const { method = '', url = '' } = request;
  const here = operationsAt(contract, method, url);
  const chosen = contract.hasActionsInBodies ? here : here.filter(([, row]) => isAskedFor(row, url));
  const answering = chosen.filter(([, { replies }]) => replies.some(({ status }) => status === answer.status));
  const problems = answering.map(([, row]) => replyProblem(contract, row, request, answer));
  // What an action that does not exist could have been meant for.
  const meant = chosen.length > 0 ? chosen : here;
  if (answering.length === 0) problems.push(errorProblem(contract, meant, request, answer));
  if (problems.includes(undefined)) return undefined;
  const names = chosen.map(([name]) => name).join(', ') || `${method} ${url.slice(0, 200)}`;
  return `${names}: ${answer.status} ${problems.join('; or ')}`;
}

type Named = readonly [name: string, row: Operation];

function operationsAt({ operations }: Contract, method: string, url: string): Named[] {
  const path = targetOf(url)?.pathname ?? '';
  const asked = method === 'HEAD' ? 'GET' : method;
  const here = Object.entries(operations).filter(([, one]) => one.method === asked && matcherOf(one.path).test(path));
  // `/images/x` is a path of its own beside `/images/:uuid`.
  return here.filter(([, { path }]) => path === here[0]?.[1].path);
}

function isAskedFor({ action, isDefaultAction }: Operation, url: string): boolean {
  if (action === undefined && !isDefaultAction) return true;
  const [asked = '', ...more] = targetOf(url)?.searchParams.getAll('action') ?? [];
  if (more.length > 0) return false;
  // An empty action is none.
  return asked === '' ? isDefaultAction === true : asked === action;
}

/** Repeated slashes count as one; left as they are, the first two would begin a host. */
function targetOf(url: string): URL | undefined {
  const [path = '', ...query] = url.split('?');
  return URL.parse([path.replace(/\/{2,}/g, '/'), ...query].join('?'), 'http://host') ?? undefined;
}

const MATCHERS = new Map<string, RegExp>();

function matcherOf(path: string): RegExp {
  const known = MATCHERS.get(path);
  if (known) return known;
  const made = new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')}/?$`);
  MATCHERS.set(path, made);
  return made;
}

function replyProblem(
  { versionOf }: Contract,
  { replies }: Operation,
  { method, headers: asked }: Request,
  { status, headers, body }: Answer,
): string | undefined {
  const version = versionOf(asked);
  const fitting = replies.filter((reply) => reply.status === status && (reply.versions?.includes(version) ?? true));
  const lacking = fitting.map((reply) => missingHeader(reply, headers));
  // For the proxy, which adds what it says itself.
  if (headers['x-accel-redirect'] !== undefined) return undefined;
  if (fitting.length === 0) return `is not an answer of version ${version}`;
  if (!lacking.includes(undefined)) return `lacks the header ${lacking[0]}`;
  const type = String(headers['content-type'] ?? '');
  if (method === 'HEAD' || (body === '' && fitting.some(isEmpty))) return undefined;
  if (type === 'application/x-json-stream') {
    const lines = fitting.flatMap((reply) => reply.lines ?? []);
    return firstProblem(
      body.split('\n').filter((line) => line !== ''),
      lines,
    );
  }
  if (fitting.some((reply) => reply.text === type || reply.bytes?.includes(type))) return undefined;
  if (type !== 'application/json') return `is of type "${type}"`;
  return firstProblem(
    [body],
    fitting.flatMap((reply) => reply.json ?? []),
  );
}

function isEmpty({ json, lines, text, bytes }: Reply): boolean {
  return [json, lines, text, bytes].every((form) => form === undefined);
}

function missingHeader(reply: Reply, headers: Answer['headers']): string | undefined {
  return reply.headers?.required?.find((name) => headers[name] === undefined);
}

function firstProblem(texts: readonly string[], schemas: readonly object[]): string | undefined {
  for (const text of texts) {
    const value: unknown = JSON.parse(text);
    const problems = schemas.map((schema) => problemOf(schema, value));
    if (!problems.includes(undefined)) return `is ${text.slice(0, 300)}: ${problems[0] ?? 'there is no such answer'}`;
  }
  return undefined;
}

function errorProblem(
  { errors, anywhere }: Contract,
  meant: readonly Named[],
  { method, url = '' }: Request,
  { status, body }: Answer,
): string | undefined {
  if (method === 'HEAD') return undefined;
  if (status < 400) return 'is no answer of it';
  const problem = firstProblem([body], [ErrorBody]);
  if (problem !== undefined) return problem;
  const { code } = JSON.parse(body) as { readonly code: string };
  if (errors[code]?.status !== status) return `is the status of ${code}`;
  const isSample = url.startsWith('/ping?error=');
  if (isSample || anywhere.includes(code) || meant.some(([, row]) => row.errors.includes(code))) return undefined;
  return `with ${code} is none of its errors`;
}

const ajv = new Ajv({ strict: false, formats: { uuid: isUuid, 'lower-case-uuid': isUuid, 'date-time': isDate } });
const COMPILED = new Map<object, ValidateFunction>();

function problemOf(schema: object, value: unknown): string | undefined {
  let check = COMPILED.get(schema);
  if (!check) {
    check = ajv.compile(closed(schema) as object);
    COMPILED.set(schema, check);
  }
  return check(value) ? undefined : ajv.errorsText(check.errors);
}

/** Clients must ignore fields they do not know, but the server must not send fields that are not documented. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const each = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const isOpen = 'properties' in each && !('additionalProperties' in each) && !('patternProperties' in each);
  return isOpen ? { ...each, additionalProperties: false } : each;
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text);
}
