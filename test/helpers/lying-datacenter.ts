/**
 * A datacenter that is properly linked, with a real key and the real link listener, and then lies: a proxy in front of
 * the listener decides for each request whether to answer it with a lie.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import type { Site } from './cloud.ts';
import { type Datacenter, type DatacenterOptions, setConfig, startDatacenter } from './datacenter.ts';

export interface Lie {
  /** Matches the paths of the requests to lie to. */
  readonly path: RegExp;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export interface LyingDatacenter extends Datacenter {
  /** URL of the proxy. */
  readonly url: string;
  /** The first one that matches is used; all other requests are answered honestly. */
  lies: readonly Lie[];
  /** `METHOD PATH` of all requests, in order. */
  readonly asked: readonly string[];
}

export async function startLyingDatacenter(
  t: Test,
  name: string,
  options?: DatacenterOptions,
): Promise<LyingDatacenter> {
  const honest = await startDatacenter(t, name, options);
  const asked: string[] = [];
  const front = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const lie = dishonest.lies.find(({ path }) => path.test(incoming.url ?? ''));
    if (lie) lie.answer(incoming, response);
    else passOn(honest.url, incoming, response);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.teardown(() => {
    front.close();
    front.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  setConfig(honest, 'links', { publicUrl: url });
  const dishonest: LyingDatacenter = { ...honest, url, lies: [], asked };
  return dishonest;
}

/** Links the site to the datacenter, as the site's operator would. */
export async function linkFrom(site: Site, to: Datacenter): Promise<unknown> {
  const { token, url } = await createLinkToken(to.service);
  return site.administer('POST', '/datacenters', { name: to.name, url, token });
}

function passOn(to: string, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, headers } = incoming;
  const outgoing = request(to + (incoming.url ?? ''), { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}
