/** One listener of each kind, to test what must hold on all of them; see `toy-listeners.ts` for the HTTP kit alone. */
import type { Test } from 'tap';
import { cloudapiInProcess, makePeople } from './cloudapi.ts';
import { type ConfigKeys, startInProcess } from './imgapi.ts';
import { said, statuses } from './raw-socket.ts';

export interface AnyListener {
  readonly name: string;
  readonly url: string;
  /** A path that it serves to everybody, and the status of the answer. */
  readonly path: string;
  readonly status: number;
}

/** @param connections `connections` of the configuration */
export async function startListeners(t: Test, connections: ConfigKeys = {}): Promise<AnyListener[]> {
  const { imgapi } = await startInProcess(t, { links: { port: 0 }, metrics: { port: 0 }, connections });
  const { url, linksUrl = '', metricsUrl = '' } = imgapi;
  const keys = { connections };
  const cloudapi = await cloudapiInProcess(t, { people: Object.values(makePeople()), imgapi: url, keys });
  return listenersAt({ main: url, links: linksUrl, metrics: metricsUrl, cloudapi: cloudapi.url });
}

export function listenersAt(urls: Readonly<Record<'main' | 'links' | 'metrics' | 'cloudapi', string>>): AnyListener[] {
  return [
    { name: 'main', url: urls.main, path: '/ping', status: 200 },
    { name: 'links', url: urls.links, path: '/link/ping', status: 401 },
    { name: 'metrics', url: urls.metrics, path: '/metrics', status: 200 },
    { name: 'cloudapi', url: urls.cloudapi, path: '/--ping', status: 200 },
  ];
}

/** Whether a request on a new connection gets the expected status. */
export async function isServed({ url, path, status }: AnyListener): Promise<boolean> {
  const text = await said(url, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  return statuses(text)[0] === status;
}
