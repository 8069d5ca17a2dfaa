/**
 * A server without a supervisor. A SIGHUP has it read its configuration again: it takes what it can take while it runs, and
 * otherwise lets its requests finish and starts anew, in the same process. A configuration that is wrong, or that it cannot
 * be started with, changes nothing.
 */
import { flushCompileCache } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import type Logger from 'bunyan';
import { isOnTerminal, onHangup } from '#lib/runtime/hangups.ts';
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
const FAILED = 1;

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
  #isStopping = false;

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
    this.#isStopping = true;
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
    while (this.#changeAgain && !this.#isStopping) {
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
      return;
    }
    if (this.#isStopping) return;
    const keys = changedKeys(this.#prepared.config, next.config);
    this.#turning = keys.every((key) => live.has(key)) ? this.#take(next, keys) : this.#restart(next, keys);
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
    if (this.#isStopping) return;
    const several = await fleet(next);
    if (several) {
      process.off('SIGTERM', this.#stop.onSignal);
      process.off('SIGINT', this.#stop.onSignal);
      log.level(next.logLevel);
      await several();
      return;
    }
    const before = this.#prepared;
    log.level(next.logLevel);
    try {
      this.#started = await next.start(log, undefined);
      this.#prepared = next;
    } catch (error) {
      log.level(before.logLevel);
      log.error(
        { err: error, keys },
        'the server cannot be started with the new configuration; it goes on with the one before',
      );
      this.#started = await before.start(log, undefined).catch((cause: unknown) => {
        log.fatal({ err: cause }, 'nor with the one before: the process ends');
        process.exit(FAILED);
      });
    }
    log.info(this.line);
  }
}

/** Keys at the top of the configuration whose values differ. */
function changedKeys(before: object, after: object): string[] {
  const [one, other] = [before, after].map((config) => new Map<string, unknown>(Object.entries(config)));
  const keys = new Set([...(one?.keys() ?? []), ...(other?.keys() ?? [])]);
  return [...keys].filter((key) => !isDeepStrictEqual(one?.get(key), other?.get(key))).toSorted();
}
