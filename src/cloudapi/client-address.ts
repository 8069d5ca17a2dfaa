/** The address that a request comes from, as far as it can be believed. */
import proxyaddr from 'proxy-addr';
import type { Call } from './call.ts';

/** Undefined: not known, because somebody who is not trusted says that he asks for somebody else. */
export type ClientAddress = (call: Pick<Call, 'headers' | 'remoteAddress'>) => string | undefined;

/**
 * @param trusted addresses and ranges of proxies whose `X-Forwarded-For` is believed
 */
export function clientAddress(trusted: readonly string[]): ClientAddress {
  const isTrusted = proxyaddr.compile([...trusted]);
  return ({ headers, remoteAddress }) => {
    if (headers['x-forwarded-for'] === undefined) return remoteAddress;
    // A proxy that the operator forgot to name must not pass for the client.
    if (!isTrusted(remoteAddress, 0)) return undefined;
    return proxyaddr({ headers, socket: { remoteAddress } } as never, isTrusted);
  };
}
