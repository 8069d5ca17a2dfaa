/** The end of a server process: orderly on a signal, brief after a fault, and in both cases within a bound. */
import type Logger from 'bunyan';
import { startTimer } from '#lib/runtime/timers.ts';

type Close = (patience: number) => Promise<void>;

export interface Stopper {
  /** From now on there is something to close. */
  closes(close: Close): void;
  /** Lets the requests under way end, then exits 0; 1 when it took too long. */
  readonly onSignal: (signal: NodeJS.Signals) => void;
  /**
   * An exception that nobody caught: its process may be in any state, so it ends. What it had begun is in leases and
   * journals, which other processes, or the next start, go on with.
   */
  afterFault(error: unknown, what: string): void;
}

/** After a fault requests get so long to end. */
const DRAIN_AFTER_FAULT_MS = 3000;
/** Of the time there is, requests get at most this part; the rest is for releasing what is open. */
const PART_FOR_REQUESTS = 0.8;
const FAILED = 1;

/** @param within milliseconds after which the process ends, whatever is open */
export function stopper(log: Logger, within: number): Stopper {
  let close: Close = async () => {};
  let isStopping = false;
  let status = 0;

  function stop(limit: number): void {
    if (isStopping) return;
    isStopping = true;
    startTimer(() => {
      log.error({ ms: limit }, 'stopping took too long: what is still open is cut');
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
