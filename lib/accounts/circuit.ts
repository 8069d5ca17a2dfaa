/**
 * Keeps everybody from waiting for a directory that is down. The call that finds out waits for it, and those that are under way
 * then; from then on all calls fail at once, while one probe at a time looks whether it is back.
 */
import { startTimer, type Timer } from '../runtime/timers.ts';
import { NIL_UUID } from '../text/uuid.ts';
import { type Accounts, DirectoryUnavailableError } from './accounts.ts';
import { wrapAccounts } from './wrapped.ts';

export interface CircuitLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface CircuitOptions {
  readonly log?: CircuitLog | undefined;
  /** Milliseconds before the first probe; doubled for each one that fails, up to `maxDelay`. Default 250. */
  readonly minDelay?: number;
  /** Default 10 s. */
  readonly maxDelay?: number;
}

export function breakCircuit(accounts: Accounts, options: CircuitOptions = {}): Accounts {
  const circuit = new Circuit(accounts, options);
  return wrapAccounts(
    accounts,
    (_operation, call) => circuit.call(call),
    () => circuit.close(),
  );
}

class Circuit {
  readonly #accounts: Accounts;
  readonly #log: CircuitLog | undefined;
  readonly #minDelay: number;
  readonly #maxDelay: number;
  /** Why calls fail now. */
  #fault: DirectoryUnavailableError | undefined;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(accounts: Accounts, { log, minDelay = 250, maxDelay = 10_000 }: CircuitOptions) {
    this.#accounts = accounts;
    this.#log = log;
    this.#minDelay = minDelay;
    this.#maxDelay = maxDelay;
  }

  async call<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#fault) throw new DirectoryUnavailableError(this.#fault.message, { cause: this.#fault });
    try {
      return await ask();
    } catch (error) {
      if (error instanceof DirectoryUnavailableError && !error.answered) this.#open(error);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.stop();
    await this.#accounts.close();
  }

  #open(fault: DirectoryUnavailableError): void {
    if (this.#fault || this.#isClosed) return;
    this.#fault = fault;
    this.#log?.warn({ err: fault }, `the directory of accounts is unavailable: ${fault.message}`);
    this.#probeAfter(this.#minDelay);
  }

  #probeAfter(delay: number): void {
    this.#timer = startTimer(() => void this.#probe(delay), delay).unref();
  }

  async #probe(delay: number): Promise<void> {
    try {
      await this.#accounts.byUuid(NIL_UUID);
    } catch (error) {
      if (this.#isClosed) return;
      if (error instanceof DirectoryUnavailableError && !error.answered) {
        this.#note(error);
        this.#probeAfter(Math.min(delay * 2, this.#maxDelay));
        return;
      }
    }
    this.#fault = undefined;
    this.#log?.info({}, 'the directory of accounts is back');
  }

  /** A line for each reason, not for each probe. */
  #note(fault: DirectoryUnavailableError): void {
    if (fault.message !== this.#fault?.message) {
      this.#log?.warn({ err: fault }, `the directory of accounts is still unavailable: ${fault.message}`);
    }
    this.#fault = fault;
  }
}
