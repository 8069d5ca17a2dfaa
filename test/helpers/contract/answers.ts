/** Checks an answer of a server against the row of its operation. */
import type { IncomingMessage } from 'node:http';
import { Ajv, type ValidateFunction } from 'ajv';
import { ERRORS, type ErrorCode } from '#lib/api/errors/registry.ts';
import { COMMON_ERRORS } from '#lib/api/imgapi/form.ts';
import type { Operation, Operations, Reply } from '#lib/api/operation.ts';
import { ErrorBody } from '#lib/api/schemas/error.ts';
import { apiVersion } from '#src/imgapi/versions.ts';
import type { Answer } from './watch.ts';

/** Errors that any path may return. */
const ANYWHERE: readonly string[] = [...COMMON_ERRORS, 'ResourceNotFound', 'MethodNotAllowedError', 'BadDigest'];

/** @returns what is wrong with it, and with which answer */
export function problemWith(
  operations: Operations,
  request: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
  answer: Answer,
): string | undefined {
  const { method = '', url = '' } = request;
  const found = operationFor(operations, method, url);
  const problem = found?.[1].replies.some(({ status }) => status === answer.status)
    ? replyProblem(found[1], request, answer)
    : errorProblem(found ? [found[1]] : operationsAt(operations, method, url), request, answer);
  return problem === undefined
    ? undefined
    : `${found?.[0] ?? `${method} ${url.slice(0, 200)}`}: ${answer.status} ${problem}`;
}

function operationFor(operations: Operations, method: string, url: string): [string, Operation] | undefined {
  const target = targetOf(url);
  if (!target) return undefined;
  const { pathname, searchParams } = target;
  // An empty action is none.
  const action = searchParams.get('action') || null;
  const asked = method === 'HEAD' ? 'GET' : method;
  return Object.entries(operations).find(([, operation]) => {
    if (operation.method !== asked || !matcherOf(operation.path).test(pathname)) return false;
    if (operation.action === undefined && !operation.isDefaultAction) return true;
    return action === null ? operation.isDefaultAction : action === operation.action;
  });
}

/** Repeated slashes count as one; left as they are, the first two would begin a host. */
function targetOf(url: string): URL | undefined {
  const [path = '', ...query] = url.split('?');
  return URL.parse([path.replace(/\/{2,}/g, '/'), ...query].join('?'), 'http://host') ?? undefined;
}

/** What an action that does not exist could have been meant for. */
function operationsAt(operations: Operations, method: string, url: string): Operation[] {
  const path = targetOf(url)?.pathname ?? '';
  return Object.values(operations).filter((one) => one.method === method && matcherOf(one.path).test(path));
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
  { replies }: Operation,
  { method, headers: asked }: Pick<IncomingMessage, 'method' | 'headers'>,
  { status, headers, body }: Answer,
): string | undefined {
  const version = apiVersion(asked);
  const fitting = replies.filter((reply) => reply.status === status && (reply.versions?.includes(version) ?? true));
  const lacking = fitting.map((reply) => missingHeader(reply, headers));
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
  operations: readonly Operation[],
  { method, url = '' }: Pick<IncomingMessage, 'method' | 'url'>,
  { status, body }: Answer,
): string | undefined {
  if (method === 'HEAD') return undefined;
  if (status < 400) return 'is no answer of it';
  const problem = firstProblem([body], [ErrorBody]);
  if (problem !== undefined) return problem;
  const { code } = JSON.parse(body) as { readonly code: string };
  if (ERRORS[code as ErrorCode]?.status !== status) return `is the status of ${code}`;
  const isSample = url.startsWith('/ping?error=');
  if (isSample || ANYWHERE.includes(code) || operations.some(({ errors }) => errors.includes(code))) return undefined;
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
