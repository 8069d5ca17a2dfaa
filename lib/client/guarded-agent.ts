/**
 * Connections whose addresses are looked at first: of every connection, after the name was resolved, and the addresses
 * that were looked at are those connected to, so that a name cannot answer differently the second time.
 */
import { lookup as resolveName } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import type { AddressRefusedError } from './errors.ts';

/** Where a connection is about to go. */
export interface ConnectTarget {
  /** As in the URL, without brackets: a name, or the address itself. */
  readonly host: string;
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/** Undefined when the connection may be made. */
export type AddressCheck = (target: ConnectTarget) => AddressRefusedError | undefined;

export interface GuardedAgentOptions {
  readonly check: AddressCheck;
  /** Milliseconds to connect. */
  readonly timeout: number;
  /** Takes certificates that nobody vouches for. */
  readonly insecure: boolean;
}

export type GuardedAgent = Agent;

/** Requests over it reject with what `check` answers. The caller closes it. */
export function guardedAgent({ check, timeout, insecure }: GuardedAgentOptions): GuardedAgent {
  const connectors = new Map<number, buildConnector.connector>();
  const connectorTo = (port: number): buildConnector.connector => {
    const known = connectors.get(port);
    if (known) return known;
    const lookup = guardedLookup(check, port);
    const options = { timeout, rejectUnauthorized: !insecure, allowH2: false, lookup };
    const made = buildConnector(options as buildConnector.BuildOptions);
    connectors.set(port, made);
    return made;
  };
  const connect: buildConnector.connector = (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const host = options.hostname;
    // Addresses are not looked up: the lookup below would not see them.
    const refusal = isIP(host) ? check({ host, address: host, port }) : undefined;
    if (refusal) callback(refusal, null);
    else connectorTo(port)(options, callback);
  };
  return new Agent({ allowH2: false, connect });
}

function guardedLookup(check: AddressCheck, port: number): LookupFunction {
  return (host, options, callback) => {
    resolveName(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      // One bad address is enough: which of them is connected to would be a matter of luck.
      for (const { address } of addresses) {
        const refusal = check({ host, address, port });
        if (refusal) return callback(refusal, '', 0);
      }
      if (options.all) return callback(null, addresses);
      const [first] = addresses;
      return first ? callback(null, first.address, first.family) : callback(new Error(`${host} has no address`), '', 0);
    });
  };
}
