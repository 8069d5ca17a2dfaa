/** The bodies of requests and of answers. */
import { STATUS_CODES } from 'node:http';
import type { ByteLimit, Operation, Reply, RequestBody } from '../operation.ts';
import type { OperationContext } from './context.ts';
import type { Json } from './schemas.ts';

/** For one operation, or for all actions of a route. */
export function requestBodyOf({ schemas }: OperationContext, operations: readonly Operation[]): Json {
  const bodies = operations.flatMap(({ body }) => body ?? []);
  if (bodies.length === 0) return {};
  const json = bodies.flatMap((body) => ('bytes' in body ? [] : 'json' in body ? body.json : body.signed));
  const types = bodies.flatMap((body) => ('bytes' in body ? body.bytes : []));
  const limits = bodies.flatMap((body) => ('limit' in body && body.limit ? limitLine(body.limit) : []));
  return {
    requestBody: {
      ...(limits.length > 0 && { description: limits.join('\n') }),
      required: bodies.length === operations.length && bodies.every((body) => !isOptional(body)),
      content: {
        ...(json.length > 0 && { 'application/json': { schema: schemas.anyOf(json) } }),
        ...Object.fromEntries(types.map((type) => [type, {}])),
      },
    },
  };
}

function limitLine({ byDefault, setting }: ByteLimit): string {
  return `At most ${byDefault} bytes, unless the server's configuration has another \`${setting}\`.`;
}

function isOptional(body: RequestBody): boolean {
  return 'optional' in body;
}

/** For one operation, or for all actions of a route; each status once. */
export function responsesOf(context: OperationContext, operations: readonly Operation[]): Json {
  const replies = operations.flatMap((operation) => operation.replies);
  const codes = [...new Set(operations.flatMap((operation) => operation.errors))];
  const statuses = new Set([...replies.map(({ status }) => status), ...codes.map((code) => statusOf(context, code))]);
  const sorted = [...statuses].sort((one, other) => one - other);
  const responses = sorted.map((status): [string, Json] => {
    const ofStatus = replies.filter((reply) => reply.status === status);
    return [
      String(status),
      responseOf(
        context,
        status,
        ofStatus,
        codes.filter((code) => statusOf(context, code) === status),
      ),
    ];
  });
  return { ...Object.fromEntries(responses), default: { $ref: '#/components/responses/Error' } };
}

function statusOf({ errors }: OperationContext, code: string): number {
  const error = errors[code];
  if (error === undefined) throw new Error(`there is no error ${code}`);
  return error.status;
}

function responseOf(
  context: OperationContext,
  status: number,
  replies: readonly Reply[],
  codes: readonly string[],
): Json {
  const whens = [...new Set(replies.flatMap(({ when }) => when ?? []))].map((when) => `when ${when}`);
  const errors = codes.map((code) => `- \`${code}\`: ${context.errors[code]?.when}`);
  const content = contentOf(context, replies, codes);
  const headers = headersOf(context, replies);
  return {
    description: [[STATUS_CODES[status] ?? String(status), ...whens].join('; '), ...errors].join('\n'),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(Object.keys(content).length > 0 && { content }),
  };
}

function contentOf({ schemas }: OperationContext, replies: readonly Reply[], codes: readonly string[]): Json {
  const json: unknown[] = replies.flatMap((reply) => reply.json ?? []);
  const lines = replies.flatMap((reply) => reply.lines ?? []);
  const types = replies.flatMap((reply) => [...(reply.bytes ?? []), ...(reply.text === undefined ? [] : [reply.text])]);
  const answers = [
    ...(json.length > 0 ? [schemas.anyOf(json)] : []),
    ...(codes.length > 0 ? [{ $ref: '#/components/schemas/ErrorBody' }] : []),
  ];
  return {
    ...(answers.length > 0 && {
      'application/json': { schema: answers.length === 1 ? answers[0] : { anyOf: answers } },
    }),
    ...(lines.length > 0 && {
      'application/x-json-stream': {
        schema: { type: 'string', description: 'One JSON value per line; `x-line` is the schema of a line.' },
        'x-line': schemas.anyOf(lines),
      },
    }),
    ...Object.fromEntries([...new Set(types)].map((type) => [type, {}])),
  };
}

function headersOf({ schemas }: OperationContext, replies: readonly Reply[]): Json {
  const found: Json = {};
  for (const { headers } of replies) {
    for (const [name, header] of Object.entries(headers?.properties ?? {})) {
      const { description, ...schema } = schemas.of(header);
      found[name] = { ...(description !== undefined && { description }), schema };
    }
  }
  return found;
}
