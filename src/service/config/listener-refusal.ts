/** Why a listener could not be opened, in the words of the configuration. */
import { ConfigError } from './config-error.ts';

/** What is wrong with the address, not with the port. */
const OF_THE_ADDRESS: ReadonlySet<string> = new Set(['EADDRNOTAVAIL', 'ENOTFOUND']);

const REASONS: Readonly<Record<string, (address: string, port: number) => string>> = {
  EADDRINUSE: (address, port) => `${port} is in use at ${address} by another process`,
  EADDRNOTAVAIL: (address, port) => `this machine has no address ${address} to open port ${port} at`,
  ENOTFOUND: (address, port) => `there is no host ${address} to open port ${port} at`,
  EACCES: (address, port) => `this process may not open port ${port} at ${address}`,
};

/**
 * For whatever opening failed with.
 * @param key of the port, beside which the address has its own
 * @throws ConfigError naming the key; the cause itself when it is another one
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
