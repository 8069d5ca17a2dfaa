/** Why a listener could not be opened, in the words of the configuration. */
import { ConfigError } from './config-error.ts';

/** Faults of the address, not of the port. */
const OF_THE_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND']);

const REASONS: Readonly<Record<string, (address: string, port: number) => string>> = {
  EADDRINUSE: (address, port) => `${port} is in use at ${address} by another process`,
  EADDRNOTAVAIL: (address, port) => `cannot open port ${port}: this machine does not have the address ${address}`,
  ENOTFOUND: (address, port) => `cannot open port ${port}: there is no host ${address}`,
  EACCES: (address, port) => `this process may not open port ${port} at ${address}`,
};

/**
 * Turns an error on opening a listener into one about the configuration.
 * @param key of the port; the key of the address is next to it
 * @throws ConfigError naming the key; any other error unchanged
 */
export function listenerRefusal(key: string, address: string, port: number): (cause: unknown) => never {
  return (cause) => {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const reason = REASONS[code];
    if (!reason) throw cause;
    const wrong = OF_THE_ADDRESS.has(code) ? key.replace(/port$/, 'address') : key;
    throw new ConfigError(wrong, [`${reason(address, port)} (${code})`], { cause });
  };
}
