/** One log record per request: who did what to which route, and how it ended. */
import type Logger from 'bunyan';
import type { Done } from './server.ts';

/** Asked for every few seconds by somebody's monitoring, or of no interest later. */
const UNLOGGED = new Set(['Ping', 'Docs', 'Favicon']);
const SECRET_HEADERS = new Set(['authorization', 'x-registry-auth', 'x-registry-config', 'cookie']);

export function auditTo(log: Logger): (done: Done) => void {
  const audit = log.child({ audit: true });
  return ({ route, requestId, request, response, call, error, elapsed }) => {
    if (UNLOGGED.has(route) || !audit.info()) return;
    const isPlainRead = (request.method === 'GET' || request.method === 'HEAD') && response.statusCode < 400;
    audit.info(
      {
        req_id: requestId,
        route,
        action: call?.query['action'],
        method: request.method,
        url: withoutSignature(request.url),
        account: call?.query['account'],
        user: call?.user,
        datacenter: call?.datacenter,
        remote: request.socket.remoteAddress,
        status: response.statusCode,
        ms: Math.round(elapsed),
        ...(response.writableFinished ? {} : { aborted: true }),
        ...(isPlainRead ? {} : { headers: withoutSecrets(request.headers) }),
        ...(error instanceof Error ? { error: error.message } : {}),
      },
      'request',
    );
  };
}

/** Whoever reads the log must not be able to use a signed URL. */
function withoutSignature(url: string | undefined): string | undefined {
  return url?.replace(/([?&]signature=)[^&]*/, '$1(hidden)');
}

function withoutSecrets(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.has(name) ? '(hidden)' : value]),
  );
}
