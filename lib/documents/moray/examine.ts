/** Asks Moray without being one of the processes that use it: nothing is made, upgraded or noted. */
import Logger from 'bunyan';
import { MorayCalls } from './calls.ts';
import type { MorayAddress } from './connection.ts';
import { Connections } from './connections.ts';

/**
 * Milliseconds since the epoch, by the clock of Moray's database.
 * @param limit milliseconds
 * @throws MorayError, StoreUnavailableError
 */
export async function timeOfMoray({ host, port }: MorayAddress, limit: number): Promise<number> {
  const log = new Logger({ name: 'moray', streams: [] });
  const connections = new Connections({ host, port, log, patience: limit, connections: 1 });
  try {
    return await new MorayCalls(connections, limit).now();
  } finally {
    await connections.close();
  }
}
