/** Where this process listens. It must not fetch anything from itself, whatever name or form of address leads here. */
import { networkInterfaces } from 'node:os';
import { heldIpv4, isSameAddress, kindOfAddress } from '#lib/network/addresses.ts';
import { bareHost, portOf } from '#lib/network/listener-url.ts';

interface Place {
  readonly address: string;
  readonly port: number;
}

export class OwnAddresses {
  readonly #listeners: Place[] = [];

  /** To be called for each listener once it is bound. @param url with the address and port that it is bound to */
  add(url: string): void {
    const bound = new URL(url);
    this.#listeners.push({ address: bareHost(bound), port: portOf(bound) });
  }

  /** Whether a connection to the address would reach a listener of this process. */
  has(address: string, port: number): boolean {
    return this.#listeners.some((listener) => listener.port === port && reaches(address, listener.address));
  }
}

function reaches(address: string, bound: string): boolean {
  const plain = heldIpv4(address) ?? address;
  // Connecting to the unspecified address (0.0.0.0, ::) leads to this machine.
  if (kindOfAddress(plain) === 'nowhere') return true;
  if (kindOfAddress(bound) !== 'nowhere') return isSameAddress(plain, bound);
  return isOfThisMachine(plain);
}

/** Whether it is a loopback address, or one of a network interface here. */
export function isOfThisMachine(address: string): boolean {
  if (kindOfAddress(address) === 'loopback') return true;
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return own.some((one) => isSameAddress(one.address, address));
}
