/** One log record per request: who did what to which route, and how it ended. */
import type Logger from 'bunyan';
import { infoWriter } from '#lib/runtime/log.ts';
import { redact } from '#lib/text/redact.ts';
import type { AnyCall, Done } from './listener-options.ts';

/** Ours, those of registries, and variants that proxies and clients send, such as X-Forwarded-Authorization. */
const SECRET_HEADERS = /auth|cookie|token|secret|passw|credential|signature|api-?key|^x-registry-config$/;

/** What an API adds to the record of a request. */
export type AuditFields = Record<string, unknown>;

export interface AuditOptions<C> {
  /** Routes that are not recorded: monitoring polls them every few seconds, or nobody cares later. */
  readonly unlogged: ReadonlySet<string>;
  /** Adds who asked for what, as far as the API knows. */
  readonly describe: (fields: AuditFields, call: C) => void;
}

export function auditTo<C extends AnyCall>(log: Logger, options: AuditOptions<C>): (done: Done<C>) => void {
  const audit = log.child({ audit: true });
  const write = infoWriter(audit, 'request');
  const { unlogged, describe } = options;
  return (done) => {
    // A child has a level of its own, and that of the log may have been changed.
    if (audit.level() !== log.level()) audit.level(log.level());
    if (unlogged.has(done.route) || !audit.info()) return;
    const fields = fieldsOf(done);
    if (done.call) describe(fields, done.call);
    write(fields);
  };
}

function fieldsOf({ route, operation, requestId, request, response, call, error, elapsed }: Done): AuditFields {
  const { method } = request;
  const isPlainRead = (method === 'GET' || method === 'HEAD') && response.statusCode < 400;
  return {
    req_id: requestId,
    route,
    operation,
    method,
    url: shown(request.url),
    remote: call?.remoteAddress ?? request.socket.remoteAddress,
    status: response.statusCode,
    ms: Math.round(elapsed),
    aborted: response.writableFinished ? undefined : true,
    headers: isPlainRead ? undefined : withoutSecrets(request.headers),
    error: error instanceof Error ? redact(error.message) : undefined,
  };
}

/** A reader of the log must not be able to repeat the request. */
function withoutSecrets(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.test(name) ? '(hidden)' : shown(value)]),
  );
}

/** A parameter or a header as it may appear in the log. */
export function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  return typeof value === 'string' ? redact(value) : value;
}
