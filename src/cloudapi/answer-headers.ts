/** What Triton's CloudAPI sends with every answer. Browsers need some of it, and clients look at the rest. */

import { KEEP_ALIVE_MS } from '../http-kit/connections.ts';
import type { Answered } from '../http-kit/listener-options.ts';
import type { OperationRoute } from '../http-kit/operations.ts';
import type { ReplyHeaders } from '../http-kit/reply.ts';
import type { Call } from './call.ts';
import { newestAccepted } from './versions.ts';

const ALLOWED_HEADERS =
  'Accept, Accept-Version, Content-Length, Content-MD5, Content-Type, Date, X-Api-Version, X-Response-Time';
const EXPOSED_HEADERS = 'Api-Version, Request-Id, Response-Time';

/** In this spelling: there are clients that compare it. */
const KEPT_ALIVE = { Connection: 'Keep-Alive', 'Keep-Alive': `timeout=${KEEP_ALIVE_MS / 1000}` } as const;

export function answerHeaders(routes: readonly OperationRoute<Call>[]): (answered: Answered) => ReplyHeaders {
  const methods = methodsByPath(routes);
  return ({ request, requestId, elapsed, route, staysOpen }) => {
    const version = newestAccepted(request.headers);
    const known = {
      ...(version !== undefined && { 'Api-Version': version }),
      'Request-Id': requestId,
      'Response-Time': elapsed,
    };
    if (!route) return known;
    return {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Headers': ALLOWED_HEADERS,
      'Access-Control-Allow-Methods': methods.get(route.path) ?? '',
      'Access-Control-Expose-Headers': EXPOSED_HEADERS,
      ...(staysOpen && KEPT_ALIVE),
      ...known,
    };
  };
}

/** As they are allowed on each path, separated by commas. */
function methodsByPath(routes: readonly OperationRoute<Call>[]): ReadonlyMap<string, string> {
  const byPath = Map.groupBy(routes, ({ path }) => path);
  return new Map(
    [...byPath].map(([path, ofPath]) => {
      const methods = ofPath.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
      return [path, methods.join(', ')];
    }),
  );
}
