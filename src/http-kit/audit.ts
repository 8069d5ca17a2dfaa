/** One log record per request: who did what to which route, and how it ended. */
import type Logger from 'bunyan';
import { redact } from '#lib/text/redact.ts';
import { infoWriter } from '../service/log.ts';
import type { Done } from './server.ts';

/** Asked for every few seconds by somebody's monitoring, or of no interest later. */
const UNLOGGED = new Set(['Ping', 'Healthz', 'Docs', 'Favicon']);
/** Our own, those of registries, and what proxies and clients make of them, such as X-Forwarded-Authorization. */
const SECRET_HEADERS = /auth|cookie|token|secret|passw|credential|signature|api-?key|^x-registry-config$/;

export function auditTo(log: Logger): (done: Done) => void {
  const audit = log.child({ audit: true });
  const write = infoWriter(audit, 'request');
  return (done) => {
    if (UNLOGGED.has(done.route) || !audit.info()) return;
    write(recordOf(done));
  };
}

function recordOf({ route, requestId, request, response, call, error, elapsed }: Done): object {
  const { method } = request;
  const isPlainRead = (method === 'GET' || method === 'HEAD') && response.statusCode < 400;
  return {
    req_id: requestId,
    route,
    action: shown(call?.query['action']),
    method,
    url: shown(request.url),
    account: shown(call?.query['account']),
    user: call?.user,
    datacenter: call?.datacenter,
    remote: call?.remoteAddress ?? request.socket.remoteAddress,
    status: response.statusCode,
    ms: Math.round(elapsed),
    aborted: response.writableFinished ? undefined : true,
    headers: isPlainRead ? undefined : withoutSecrets(request.headers),
    error: error instanceof Error ? redact(error.message) : undefined,
  };
}

/** Whoever reads the log must not be able to do what the request did. */
function withoutSecrets(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.test(name) ? '(hidden)' : shown(value)]),
  );
}

function shown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shown);
  return typeof value === 'string' ? redact(value) : value;
}
