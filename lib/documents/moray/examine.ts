/** Asks Moray without being one of the processes that use it: nothing is made, upgraded or noted. */
import Logger from 'bunyan';
import type { Bucket } from '../store.ts';
import { MorayCalls } from './calls.ts';
import type { MorayAddress } from './connection.ts';
import { Connections } from './connections.ts';
import { fromMoray } from './value.ts';

/**
 * Milliseconds since the epoch, by the clock of Moray's database.
 * @param limit milliseconds
 * @throws MorayError, StoreUnavailableError
 */
export async function timeOfMoray({ host, port }: MorayAddress, limit: number): Promise<number> {
  return asking({ host, port }, limit, (calls) => calls.now());
}

/**
 * One document; undefined if there is none.
 * @param limit milliseconds
 * @throws MorayError, StoreUnavailableError
 */
export async function documentIn<T extends object>(
  { host, port }: MorayAddress,
  limit: number,
  { bucket, key }: { readonly bucket: Bucket<T>; readonly key: string },
): Promise<T | undefined> {
  return asking({ host, port }, limit, async (calls) => {
    if ((await calls.getBucket(bucket.name)) === undefined) return undefined;
    const found = await calls.get(bucket.name, key);
    return found && (fromMoray(found).value as T);
  });
}

async function asking<R>(
  { host, port }: MorayAddress,
  limit: number,
  ask: (calls: MorayCalls) => Promise<R>,
): Promise<R> {
  const log = new Logger({ name: 'moray', streams: [] });
  const connections = new Connections({ host, port, log, patience: limit, connections: 1 });
  try {
    return await ask(new MorayCalls(connections, limit));
  } finally {
    await connections.close();
  }
}
