/** Connections to other datacenters. The whole process shares them, because sources are made anew for each order. */
import { HttpTransport } from '#lib/client/transport.ts';
import type { Config } from '../../service/config/config.ts';
import { assertSourceAllowed, type Guarded, namedAgent, sourceAgent } from './address-guard.ts';

type Agents = WeakMap<Config, ReturnType<typeof namedAgent>>;

const named: Agents = new WeakMap();
const foreign: Agents = new WeakMap();

/** To a URL that an operator configured, linked or named when linking. */
export function namedTransport(url: string, service: Guarded): HttpTransport {
  return transportOver(url, service, named, namedAgent);
}

/**
 * To a URL in a request; not into our own network, unless the config allows it.
 * @throws 422 InvalidParameter for a literal address that is refused
 */
export function foreignTransport(url: string, service: Guarded, field = 'source'): HttpTransport {
  assertSourceAllowed(service, new URL(url), field);
  return transportOver(url, service, foreign, sourceAgent);
}

function transportOver(url: string, service: Guarded, agents: Agents, makeAgent: typeof namedAgent): HttpTransport {
  const dispatcher = agents.get(service.config) ?? makeAgent(service);
  agents.set(service.config, dispatcher);
  return new HttpTransport({ url, dispatcher, idleTimeout: stallTimeout(service) });
}

/** Milliseconds in which there has to be a byte of a file, the first as well: an answer that does not begin is a stall, too. */
export function stallTimeout({ config }: Guarded): number {
  return config.copies.stallSeconds * 1000;
}
