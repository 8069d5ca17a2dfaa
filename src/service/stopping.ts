/** Ends a server process: in an orderly way on a signal, quickly after a fault, in both cases within a limit. */
import type Logger from 'bunyan';
import { startTimer } from '#lib/runtime/timers.ts';

type Close = (patience: number) => Promise<void>;

export interface Stopper {
  /** Sets what is to be closed. */
  closes(close: Close): void;
  /** Lets the requests under way finish, then exits with 0; with 1 if that takes too long. */
  readonly onSignal: (signal: NodeJS.Signals) => void;
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
const FAILED = 1;

/** @param within milliseconds after which the process ends, even if something is still open */
export function stopper(log: Logger, within: number): Stopper {
  let close: Close = async () => {};
  let isStopping = false;
  let status = 0;

  function stop(limit: number): void {
    if (isStopping) return;
    isStopping = true;
    startTimer(() => {
      log.error({ ms: limit }, 'stopping took too long: the process ends with requests still open');
      process.exit(FAILED);
    }, limit);
    close(limit * PART_FOR_REQUESTS).then(
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
      if (!isStopping) log.info({ signal }, 'stopping');
      stop(within);
    },
    afterFault(error, what) {
      status = FAILED;
      log.fatal({ err: error }, `${what}: the process ends`);
      stop(Math.min(within, DRAIN_AFTER_FAULT_MS));
    },
  };
}
