/** A thread that makes the indexes of three-letter pieces whole, step by step, and ends then. */
import { parentPort, workerData } from 'node:worker_threads';
import { pause } from '../../runtime/timers.ts';
import { Connection } from './connection.ts';
import { isBusy } from './failure.ts';
import { buildNext, type Progress, type Step } from './trigram-building.ts';

export interface TrigramThreadData {
  readonly path: string;
}

/** Rows of a step: other writers wait for one meanwhile, some ten milliseconds. */
const ROWS = 500;
/** Kibibytes of cached pages. */
const PAGE_CACHE = 8192;
/** What others do, or wait for, is looked at again after this many milliseconds. */
const OTHERS_MS = 1000;
const ABSENT_MS = 5000;
const BUSY_MS = 20;
/** Milliseconds after a failure, as of a full disk. */
const FAILED_MS = 60_000;

const { path }: TrigramThreadData = workerData;
const closed = new AbortController();

parentPort?.once('message', () => closed.abort());

async function work(connection: Connection): Promise<void> {
  // What a crash takes away is done again.
  connection.db.pragma('synchronous = NORMAL');
  let seen: Progress | undefined;
  for (;;) {
    const start = performance.now();
    const step = stepOn(connection, seen);
    if (step.state === 'nothing') return;
    if ('progress' in step) seen = step.progress;
    await pause(restAfter(step, performance.now() - start), closed.signal);
  }
}

function stepOn(connection: Connection, seen: Progress | undefined): Step | { readonly state: 'busy' | 'failed' } {
  try {
    return buildNext(connection, ROWS, seen);
  } catch (error) {
    if (isBusy(error)) return { state: 'busy' };
    parentPort?.postMessage(error instanceof Error ? error.message : String(error));
    return { state: 'failed' };
  }
}

/** Others shall have as much time to write as this has. */
function restAfter({ state }: ReturnType<typeof stepOn>, took: number): number {
  switch (state) {
    case 'others':
      return OTHERS_MS;
    case 'absent':
      return ABSENT_MS;
    case 'busy':
      return BUSY_MS;
    case 'failed':
      return FAILED_MS;
    default:
      return took;
  }
}

const connection = new Connection(path, { pageCache: PAGE_CACHE });
try {
  await work(connection);
} catch (error) {
  if (!closed.signal.aborted) throw error;
} finally {
  connection.close();
  parentPort?.close();
}
