/** Opens the stores of a configuration for a command, beside the servers that may be using them. */
import bunyan from 'bunyan';
import { openService } from '../open-service.ts';
import type { Config } from '../service/config/config.ts';
import type { Service } from '../service/service.ts';

export async function withService<T>(config: Config, use: (service: Service) => Promise<T>): Promise<T> {
  const opened: (() => Promise<unknown>)[] = [];
  try {
    // What goes wrong is told by the command itself.
    const log = bunyan.createLogger({ name: 'imgapiadm', streams: [] });
    return await use(await openService(config, { log, fault: process.env['IMGAPI_FAULT'] }, opened));
  } finally {
    for (const close of opened.reverse()) await close();
  }
}
