/** Why a listener could not be opened, in the words of the configuration. */
import { ConfigError } from './config-error.ts';

const REASONS: Readonly<Record<string, (address: string, port: number) => string>> = {
  EADDRINUSE: (address, port) => `${port} is in use at ${address} by another process`,
  EADDRNOTAVAIL: (address, port) => `no address of this machine is ${address}, where port ${port} was to be opened`,
  ENOTFOUND: (address, port) => `there is no host ${address}, where port ${port} was to be opened`,
  EACCES: (address, port) => `this process may not open port ${port} at ${address}`,
};

/** For whatever opening failed with. @throws ConfigError naming the key; the cause itself when it is another one */
export function listenerRefusal(key: string, address: string, port: number): (cause: unknown) => never {
  return (cause) => {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const reason = REASONS[code];
    if (!reason) throw cause;
    throw new ConfigError(key, [`${reason(address, port)} (${code})`], { cause });
  };
}
