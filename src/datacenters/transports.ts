/** The connections to other datacenters: shared by the whole process, because sources come and go with the orders. */
import { Agent, type Dispatcher } from 'undici';
import { HttpTransport } from '#lib/client/transport.ts';
import type { Config } from '../config/config.ts';
import { sourceDispatcher } from '../images/address-guard.ts';
import type { Service } from '../service.ts';

const CONNECT_TIMEOUT_MS = 10_000;

const agents = new Map<boolean, Dispatcher>();

/** To a URL that an operator configured or linked. */
export function trustedTransport(url: string, config: Config): HttpTransport {
  const { allowInsecure, copies } = config;
  const dispatcher = agents.get(allowInsecure) ?? makeAgent(allowInsecure);
  agents.set(allowInsecure, dispatcher);
  return new HttpTransport({ url, dispatcher, idleTimeout: copies.stallSeconds * 1000 });
}

/** To a URL that came with a request: not into our own network, unless the config says so. */
export function foreignTransport(url: string, service: Service): HttpTransport {
  const dispatcher = sourceDispatcher(service, new URL(url));
  return new HttpTransport({ url, dispatcher, idleTimeout: service.config.copies.stallSeconds * 1000 });
}

function makeAgent(isInsecure: boolean): Dispatcher {
  return new Agent({ allowH2: false, connect: { timeout: CONNECT_TIMEOUT_MS, rejectUnauthorized: !isInsecure } });
}
