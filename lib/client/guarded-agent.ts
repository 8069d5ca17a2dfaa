/**
 * Checks the address of every connection before it is made. A name is resolved once, and the addresses that were checked
 * are the ones connected to: a second lookup could give others.
 */
import { lookup as resolveName } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { Agent, buildConnector } from 'undici';
import type { AddressRefusedError } from './errors.ts';

/** Where a connection is about to go. */
export interface ConnectTarget {
  /** As in the URL, without brackets: a name, or the address itself. */
  readonly host: string;
  /** IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/** Returns the error to reject with, or undefined if the connection may be made. */
export type AddressCheck = (target: ConnectTarget) => AddressRefusedError | undefined;

export interface GuardedAgentOptions {
  readonly check: AddressCheck;
  /** Milliseconds to connect. */
  readonly timeout: number;
  /** Accepts certificates that no known authority has signed. */
  readonly insecure: boolean;
}

export type GuardedAgent = Agent;

/** Its requests reject with the error that `check` returns. The caller closes it. */
export async function guardedAgent({ check, timeout, insecure }: GuardedAgentOptions): Promise<GuardedAgent> {
  // Who asks no other server needs none of it.
  const undici = await import('undici');
  const connectors = new Map<number, buildConnector.connector>();
  const connectorTo = (port: number): buildConnector.connector => {
    const known = connectors.get(port);
    if (known) return known;
    const lookup = guardedLookup(check, port);
    const options = { timeout, rejectUnauthorized: !insecure, allowH2: false, lookup };
    const made = undici.buildConnector(options as buildConnector.BuildOptions);
    connectors.set(port, made);
    return made;
  };
  const connect: buildConnector.connector = (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    const host = options.hostname;
    // An address in the URL never reaches the lookup below.
    const refusal = isIP(host) ? check({ host, address: host, port }) : undefined;
    if (refusal) callback(refusal, null);
    else connectorTo(port)(options, callback);
  };
  return new undici.Agent({ allowH2: false, connect });
}

function guardedLookup(check: AddressCheck, port: number): LookupFunction {
  return (host, options, callback) => {
    resolveName(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      // One refused address is enough: any of them might be the one connected to.
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
