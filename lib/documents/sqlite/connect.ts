/** The first connection to a database, even on a full disk, which has no space for the log that SQLite creates. */
import { StoreFullError, StoreUnavailableError } from '../errors.ts';
import { Connection, IN_MEMORY } from './connection.ts';
import { fullError } from './failure.ts';
import { patiently } from './patience.ts';
import { Reserve } from './reserve.ts';

export interface ConnectOptions {
  readonly path: string;
  readonly patience: number;
  /** Bytes of the disk to set aside. */
  readonly reserve: number;
  readonly log: { warn(fields: object, message: string): void } | undefined;
}

/** @throws StoreUnavailableError when the file cannot be used */
export async function connect({
  path,
  patience,
  reserve: size,
  log,
}: ConnectOptions): Promise<{ readonly connection: Connection; readonly reserve: Reserve | undefined }> {
  const reserve = size > 0 && path !== IN_MEMORY ? new Reserve(path, size) : undefined;
  const connection = await onAnyDisk(() => patiently(() => openConnection(path), patience), reserve);
  if (reserve !== undefined && !(await reserve.hold())) {
    log?.warn({ path }, 'the disk is full: only writes that free space are accepted');
  }
  if (reserve?.problem !== undefined) {
    log?.warn({ err: reserve.problem, path }, 'could not set aside disk space for deletions');
  }
  return { connection, reserve };
}

async function onAnyDisk(attempt: () => Promise<Connection>, reserve: Reserve | undefined): Promise<Connection> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(await reserve?.isLackOfRoom(error))) throw error;
      if (reserve?.release() !== true) throw error instanceof StoreFullError ? error : fullError(error);
    }
  }
}

function openConnection(path: string): Connection {
  try {
    return new Connection(path, { isSyncedLater: true });
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) {
      throw new StoreUnavailableError(`the folder of ${path} cannot be created`, { cause: error });
    }
    throw error;
  }
}
