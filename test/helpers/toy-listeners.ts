/** Listeners of the HTTP kit with almost no routes, to test what must hold whatever is served. */
import type { Test } from 'tap';
import { HttpError } from '#lib/api/errors/http-error.ts';
import type { ConnectionLimits } from '#src/http-kit/connections.ts';
import { listenMetrics, makeMetrics } from '#src/http-kit/metrics.ts';
import { startListener } from './listener.ts';
import type { AnyListener } from './listeners.ts';

/**
 * `open` serves everybody, and reads a body at `POST /json` and at `POST /bytes` (at most 128 KiB); `closed` refuses
 * everybody; `metrics` is the kit's own.
 */
export async function startToys(t: Test, connections: Partial<ConnectionLimits> = {}): Promise<AnyListener[]> {
  const ping = { 'GET /ping': async () => ({ json: 'pong' }) };
  const open = await startListener(
    t,
    {
      ...ping,
      'POST /json': async (call) => ({ json: await call.json() }),
      'POST /bytes': async (call) => ({ json: (await call.bytes(128 * 1024)).length }),
    },
    { connections },
  );
  const refuse = async () => Promise.reject(new HttpError(401, 'Stranger', 'nobody is let in'));
  const closed = await startListener(t, ping, { connections, authenticate: refuse });
  const metrics = await listenMetrics(
    async () => makeMetrics({}).registry.metrics(),
    { log: open.log, serverName: 'test', connections },
    '127.0.0.1',
    0,
  );
  t.teardown(() => metrics.close({ patience: 0 }));
  return [
    { name: 'open', url: open.url, path: '/ping', status: 200 },
    { name: 'closed', url: closed.url, path: '/ping', status: 401 },
    { name: 'metrics', url: metrics.url, path: '/metrics', status: 200 },
  ];
}
