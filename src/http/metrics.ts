/** Prometheus metrics, on a listener of their own that is not reachable with the API's. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import { closeServer } from './close-server.ts';
import type { Done } from './server.ts';

export interface Metrics {
  readonly registry: Registry;
  record(done: Done): void;
}

export function makeMetrics(labels: Readonly<Record<string, string>>): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first line of a request to the last byte of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300],
    registers: [registry],
  });
  return {
    registry,
    record({ request, route, response, elapsed }) {
      duration.observe({ method: request.method ?? '', route, status: response.statusCode }, elapsed / 1000);
    },
  };
}

export interface MetricsListener {
  readonly url: string;
  /** As a listener's: a scrape that hangs is cut after `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

export async function listenMetrics(metrics: Metrics, address: string, port: number): Promise<MetricsListener> {
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      answer(response, 404);
      return;
    }
    metrics.registry.metrics().then(
      (text) => answer(response, 200, text, { 'Content-Type': metrics.registry.contentType }),
      () => answer(response, 500),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}/metrics`,
    close: (patience) => closeServer(server, patience),
  };
}

/** Each call on its own: what restify makes of `writeHead`, for the whole process, answers nothing. */
function answer(response: ServerResponse, status: number, text = '', headers: Record<string, string> = {}): void {
  response.writeHead(status, headers);
  response.end(text);
}
