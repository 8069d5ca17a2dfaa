/**
 * Prometheus metrics, on a listener of their own, apart from the API's. Names and labels are those of the previous
 * IMGAPI, so that its dashboards and alerts keep working, with some of our own in addition.
 */
import type Logger from 'bunyan';
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { plainErrors } from './answer.ts';
import type { ConnectionLimits } from './connections.ts';
import { type Done, UNROUTED } from './listener-options.ts';
import { RequestCall } from './request-call.ts';
import { type Listener, listen } from './server.ts';

export interface Metrics {
  readonly registry: Registry;
  record(done: Pick<Done, 'request' | 'route' | 'operation' | 'response' | 'elapsed'>): void;
}

/**
 * Existing dashboards use `route`; `operation` tells the operations of a route apart. `status_code` and `status` are
 * the same.
 */
const LABELS = ['method', 'route', 'operation', 'status_code', 'status', 'user_agent'] as const;

export function makeMetrics(labels: Readonly<Record<string, string>>): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  const completed = new Counter({
    name: 'http_requests_completed',
    help: 'count of requests completed',
    labelNames: LABELS,
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'total time to process requests, from their header to the last byte of the answer',
    labelNames: LABELS,
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300],
    registers: [registry],
  });
  const agents = new Agents();
  return {
    registry,
    record({ request, route, operation, response, elapsed }) {
      const status = response.statusCode;
      const values = {
        method: request.method ?? '',
        route: route === UNROUTED ? 'unknown' : route.toLowerCase(),
        operation: operation?.toLowerCase() ?? 'unknown',
        status_code: status,
        status,
        user_agent: agents.label(request.headers['user-agent']),
      };
      completed.inc(values);
      duration.observe(values, elapsed / 1000);
    },
  };
}

/** A client could send a different name with each request, and each would be kept for good. */
const MOST_AGENTS = 20;
const LONGEST_AGENT = 64;

/** The first word of User-Agent, such as `restify/1.5.2`; `other` once there are too many. */
class Agents {
  readonly #known = new Set<string>();

  label(userAgent: string | undefined): string {
    if (!userAgent) return 'unknown';
    const space = userAgent.indexOf(' ');
    const word = space === -1 ? userAgent : userAgent.slice(0, space);
    if (this.#known.has(word)) return word;
    if (this.#known.size >= MOST_AGENTS || word.length > LONGEST_AGENT || !/^[!-~]+$/.test(word)) return 'other';
    this.#known.add(word);
    return word;
  }
}

export interface MetricsOptions {
  readonly log: Logger;
  readonly serverName: string;
  readonly connections: Partial<ConnectionLimits>;
}

/** Serves `GET /metrics`. @param text makes the answer */
export function listenMetrics(
  text: () => Promise<string>,
  { log, serverName, connections }: MetricsOptions,
  address: string,
  port: number,
): Promise<Listener> {
  const headers = { 'Content-Type': Registry.PROMETHEUS_CONTENT_TYPE };
  return listen(
    {
      routes: [
        {
          name: 'GetMetrics',
          method: 'GET',
          path: '/metrics',
          handler: async () => ({ text: await text(), headers }),
        },
      ],
      ...{ log, serverName, limits: { json: 0, connections } },
      call: RequestCall,
      versions: () => undefined,
      authenticate: async () => undefined,
      errors: plainErrors,
    },
    address,
    port,
  );
}
