/** Ends a server process: in an orderly way on a signal, quickly after a fault, in both cases within a limit. */
import type Logger from 'bunyan';
import { startTimer, type Timer } from '#lib/runtime/timers.ts';
import type { Closing } from '../http-kit/close-server.ts';

type Close = (closing: Closing) => Promise<void>;

export interface Stopper {
  /** Sets what is to be closed. */
  closes(close: Close): void;
  /** Lets the requests under way finish, then exits with 0; with 1 if that takes too long. */
  readonly onSignal: (signal: NodeJS.Signals) => void;
  /** The same for a process that another one replaces: there is no hurry. @param within milliseconds */
  retire(within: number): void;
  /**
   * Ends the process after an exception that nobody caught: it may be in any state. The work that it had begun is
   * recorded in leases and journals, and is continued by other processes or after the next start.
   */
  afterFault(error: unknown, what: string): void;
}

/** How long requests may take to finish after a fault. */
const DRAIN_AFTER_FAULT_MS = 3000;
/** The part of the time that requests may take; the rest is for releasing what is open. */
const PART_FOR_REQUESTS = 0.8;
/** How long a client that keeps its connection may take for another request, which is answered. */
const LINGER_MS = 2000;
/** The part of a short time that this may take. */
const PART_FOR_LINGERING = 0.2;
const FAILED = 1;

/** @param within milliseconds after which the process ends, even if something is still open */
export function stopper(log: Logger, within: number): Stopper {
  const hurry = new AbortController();
  let close: Close = async () => {};
  let end: { readonly at: number; readonly timer: Timer } | undefined;
  let status = 0;

  /** Returns false if an earlier end is set already. */
  function endWithin(limit: number): boolean {
    const at = performance.now() + limit;
    if (end && end.at <= at) return false;
    end?.timer.stop();
    const timer = startTimer(() => {
      log.error({ ms: limit }, 'stopping took too long: the process ends with requests still open');
      process.exit(FAILED);
    }, limit);
    end = { at, timer };
    return true;
  }

  function stop(limit: number): void {
    const isStopping = end !== undefined;
    if (!endWithin(limit)) return;
    const patience = limit * PART_FOR_REQUESTS;
    if (isStopping) {
      startTimer(() => hurry.abort(), patience);
      return;
    }
    const linger = Math.min(LINGER_MS, limit * PART_FOR_LINGERING);
    close({ patience, linger, hurry: hurry.signal }).then(
      () => process.exit(status),
      (error: unknown) => {
        log.fatal({ err: error }, 'stopping failed');
        process.exit(FAILED);
      },
    );
  }

  return {
    closes(given) {
      close = given;
    },
    onSignal(signal) {
      log.info({ signal }, 'stopping');
      stop(within);
    },
    retire(limit) {
      log.info('another process takes over: stopping once the requests under way have ended');
      stop(limit);
    },
    afterFault(error, what) {
      status = FAILED;
      log.fatal({ err: error }, `${what}: the process ends`);
      stop(Math.min(within, DRAIN_AFTER_FAULT_MS));
    },
  };
}
