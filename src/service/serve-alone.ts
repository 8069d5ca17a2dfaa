/**
 * A server without a supervisor. A SIGHUP has it read its configuration again: it takes what it can take while it runs, and
 * otherwise lets its requests finish and starts anew, in the same process. A configuration that is wrong, or that it cannot
 * be started with, changes nothing.
 */
import { flushCompileCache } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import type Logger from 'bunyan';
import { isOnTerminal, onHangup } from '#lib/runtime/hangups.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { PreparedServer, StartedServer } from './prepared-server.ts';
import { type Stopper, stopper } from './stopping.ts';

export interface AloneOptions<C> {
  readonly log: Logger;
  readonly prepared: PreparedServer<C>;
  /** Reads the configuration again. */
  readonly again: () => Promise<PreparedServer<C>>;
  /** Keys that a running server takes. */
  readonly live: ReadonlySet<string>;
  /** What has to run in place of one server, if the configuration wants several. */
  readonly fleet: (prepared: PreparedServer<C>) => Promise<(() => Promise<void>) | undefined>;
}

/** How long an idle connection stays open before a restart, in case its client is just sending a request. */
const LINGER_MS = 200;
/** The part of the time to stop that requests may take. */
const PART_FOR_REQUESTS = 0.8;
/** Between two tries to start while a database, say, is away. */
const TRY_AGAIN_MS = 2000;

export async function serveAlone<C extends object>(options: AloneOptions<C>): Promise<void> {
  const { log, prepared } = options;
  const stop = stopper(log, prepared.stopWithin * 1000);
  stopOnFaults(stop);
  const alone = new Alone(options, stop, await prepared.start(log, undefined));
  stop.closes((closing) => alone.close(closing));
  if (!isOnTerminal()) onHangup(() => alone.reconfigure());
  process.on('SIGTERM', stop.onSignal);
  process.on('SIGINT', stop.onSignal);
  // Only now: a reader of this line may ask it to stop immediately.
  process.stdout.write(`${alone.line}\n`);
  // Otherwise the cache would be written only when the process ends by itself.
  flushCompileCache();
}

export function stopOnFaults(stop: Stopper): void {
  process.on('uncaughtException', (error) => stop.afterFault(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => stop.afterFault(error, 'unhandled rejection'));
}

class Alone<C extends object> {
  readonly #options: AloneOptions<C>;
  readonly #stop: Stopper;
  #prepared: PreparedServer<C>;
  /** Undefined while it is being started anew. */
  #started: StartedServer<C> | undefined;
  #changing: Promise<void> | undefined;
  #changeAgain = false;
  /** The part of a change after which there is another server. */
  #turning: Promise<void> | undefined;
  /** Aborts when the process is to end. */
  readonly #stopped = new AbortController();

  constructor(options: AloneOptions<C>, stop: Stopper, started: StartedServer<C>) {
    this.#options = options;
    this.#stop = stop;
    this.#prepared = options.prepared;
    this.#started = started;
  }

  get line(): string {
    return this.#started?.line ?? '';
  }

  /** For the end of the process. */
  async close(closing: Parameters<StartedServer['close']>[0]): Promise<void> {
    this.#stopped.abort();
    // What is being closed for a restart takes no longer than this would.
    await this.#turning;
    await this.#started?.close(closing);
  }

  /** One after the other; what comes meanwhile is done afterwards. */
  reconfigure(): void {
    this.#changeAgain = true;
    this.#changing ??= this.#changeAll().finally(() => {
      this.#changing = undefined;
    });
  }

  async #changeAll(): Promise<void> {
    while (this.#changeAgain && !this.#stopped.signal.aborted) {
      this.#changeAgain = false;
      await this.#change();
    }
  }

  async #change(): Promise<void> {
    const { log, again, live } = this.#options;
    let next: PreparedServer<C>;
    try {
      next = await again();
    } catch (error) {
      log.error({ err: error }, 'the configuration is wrong; the server goes on with the one that it has');
      if (this.#started) return;
      next = this.#prepared;
    }
    if (this.#stopped.signal.aborted) return;
    const keys = changedKeys(this.#prepared.config, next.config);
    const isTaken = this.#started !== undefined && keys.every((key) => live.has(key));
    this.#turning = isTaken ? this.#take(next, keys) : this.#restart(next, keys);
    await this.#turning;
  }

  async #take(next: PreparedServer<C>, keys: readonly string[]): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#started?.take(next.config);
    } catch (error) {
      log.error(
        { err: error, keys },
        'the new configuration could not be taken; the server goes on with the one that it has',
      );
      return;
    }
    this.#prepared = next;
    const message = keys.length > 0 ? 'took the new configuration' : 'the configuration has not changed';
    // At whichever of the two levels it is shown.
    const isShown = log.info();
    if (isShown) log.info({ keys }, message);
    log.level(next.logLevel);
    if (!isShown) log.info({ keys }, message);
  }

  async #restart(next: PreparedServer<C>, keys: readonly string[]): Promise<void> {
    const { log, fleet } = this.#options;
    log.info({ keys }, 'starting anew with the new configuration');
    const patience = this.#prepared.stopWithin * 1000 * PART_FOR_REQUESTS;
    await this.#started?.close({ patience, linger: LINGER_MS });
    this.#started = undefined;
    if (this.#stopped.signal.aborted) return;
    const several = await fleet(next);
    if (several) {
      process.off('SIGTERM', this.#stop.onSignal);
      process.off('SIGINT', this.#stop.onSignal);
      log.level(next.logLevel);
      await several();
      return;
    }
    await this.#startWith(next, keys);
  }

  /**
   * A server that has served does not end because a database is away just now: it is tried again, as it would be waited for
   * while it serves. Only what comes meanwhile ends that.
   */
  async #startWith(next: PreparedServer<C>, keys: readonly string[]): Promise<void> {
    const { log } = this.#options;
    const before = this.#prepared;
    for (;;) {
      try {
        await this.#start(next);
        return;
      } catch (error) {
        const message = 'the server cannot be started with the new configuration; it goes on with the one before';
        log.error({ err: error, keys }, message);
      }
      try {
        await this.#start(before);
        return;
      } catch (error) {
        log.error({ err: error }, 'nor with the one before; both are tried again');
      }
      if (this.#changeAgain) return;
      await pause(TRY_AGAIN_MS, this.#stopped.signal).catch(() => undefined);
      if (this.#stopped.signal.aborted) return;
    }
  }

  async #start(prepared: PreparedServer<C>): Promise<void> {
    const { log } = this.#options;
    log.level(prepared.logLevel);
    this.#started = await prepared.start(log, undefined);
    this.#prepared = prepared;
    log.info(this.line);
  }
}

/** Keys at the top of the configuration whose values differ. */
function changedKeys(before: object, after: object): string[] {
  const [one, other] = [before, after].map((config) => new Map<string, unknown>(Object.entries(config)));
  const keys = new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])]);
  return [...keys].filter((key) => !isDeepStrictEqual(one?.get(key), other?.get(key))).toSorted();
}
