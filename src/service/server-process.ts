/**
 * A server as a process: reads `-f CONFIG`, writes a line when it listens, and on SIGTERM or SIGINT lets the requests
 * under way finish and exits with 0. It exits with 1 if it could not start, could not stop in time, or met an exception
 * that nobody caught; with 2 if it was called wrongly. With `--workers N`, or so many in the configuration, it is the
 * supervisor of N such processes.
 */
import cluster from 'node:cluster';
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import type Logger from 'bunyan';
import { isOnTerminal, onHangup } from '#lib/runtime/hangups.ts';
import { createLog } from '#lib/runtime/log.ts';
import { redact } from '#lib/text/redact.ts';
import type { Closing } from '../http-kit/close-server.ts';
import type { LogLevel } from './config/config.ts';
import { ConfigError } from './config/config-error.ts';
import { type Stopper, stopper } from './stopping.ts';
import { type FleetMember, SupervisedMember } from './supervisor/member.ts';
import type { FleetTerms } from './supervisor/supervisor.ts';

export interface ServerProcess {
  /** Its name in messages. */
  readonly name: string;
  readonly usage: string;
  readonly needsConfig: boolean;
  /** Reads the configuration; its errors are shown. */
  readonly prepare: (file: string | undefined) => Promise<PreparedServer>;
}

export interface PreparedServer {
  readonly logLevel: LogLevel;
  readonly unknownKeys: readonly string[];
  /** What else is worth a line in the log. */
  readonly notes: readonly string[];
  /** What somebody has to look at. */
  readonly warnings?: readonly string[];
  /** How many seconds the process may take to end after a SIGTERM, whatever is open. */
  readonly stopWithin: number;
  /** Undefined: one process without a supervisor. */
  readonly workers: number | undefined;
  /** How many seconds a worker's event loop may stand still. */
  readonly workerSilenceSeconds: number;
  /** @param fleet given to a worker of several */
  readonly start: (log: Logger, fleet: FleetMember | undefined) => Promise<StartedServer>;
}

export interface StartedServer {
  /** Says where it listens. */
  readonly line: string;
  /** Lets the requests under way finish, and releases everything. */
  readonly close: (closing: Closing) => Promise<void>;
}

class UsageError extends Error {}

const FAILED = 1;
const CALLED_WRONGLY = 2;

export async function runServer(server: ServerProcess): Promise<void> {
  try {
    await run(server);
  } catch (error) {
    const { name, usage } = server;
    const isKnown = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('E');
    const isUsage = error instanceof UsageError;
    const { message, stack } = error as Error;
    process.stderr.write(
      `${name}: ${redact((isKnown || isUsage ? message : stack) ?? message)}\n${isUsage ? `usage: ${usage}\n` : ''}`,
    );
    process.exit(isUsage ? CALLED_WRONGLY : FAILED);
  }
}

async function run({ name, usage, needsConfig, prepare }: ServerProcess): Promise<void> {
  const { file, help, workers } = readArguments();
  if (help) {
    process.stdout.write(`usage: ${usage}\n`);
    return;
  }
  if (needsConfig && file === undefined) throw new UsageError('a configuration file is needed');
  // All files that are created from here on, by any library, are for this user alone.
  process.umask(0o077);
  // The reader of its output may be gone.
  process.stdout.on('error', () => {});
  const prepared = await prepare(file);
  const log = createLog(name, prepared.logLevel);
  if (!cluster.isWorker) logWhatWasFound(prepared, log);
  const terms = fleetTerms(prepared, workers);
  if (terms && cluster.isPrimary) {
    const reload = async () => {
      const again = await prepare(file);
      logWhatWasFound(again, log);
      // A configuration that names none any more leaves one: the supervisor stays until the next start.
      return fleetTerms(again, workers) ?? { ...terms, workers: 1 };
    };
    // One server alone, and each worker, needs none of it.
    const { supervise } = await import('./supervisor/supervisor.ts');
    const line = await supervise(log, terms, reload);
    process.stdout.write(`${line}, ${terms.workers} workers\n`);
    return;
  }
  await serve(prepared, log);
}

/** Once, however many workers read the same file. */
function logWhatWasFound({ unknownKeys, notes, warnings = [] }: PreparedServer, log: Logger): void {
  for (const warning of warnings) log.warn(warning);
  for (const note of notes) log.info(note);
  if (unknownKeys.length > 0) log.warn({ keys: unknownKeys }, 'the configuration has unknown keys');
}

/** One server, alone or as one of the workers of a supervisor. */
async function serve({ stopWithin, start }: PreparedServer, log: Logger): Promise<void> {
  const stop = stopper(log, stopWithin * 1000);
  process.on('uncaughtException', (error) => stop.afterFault(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => stop.afterFault(error, 'unhandled rejection'));
  const member = cluster.isWorker ? asMember(stop) : undefined;
  const { line, close } = await start(log, member);
  stop.closes(async (closing) => {
    await close(closing);
    await member?.farewell();
  });
  if (!member) ignoreHangup(log);
  process.on('SIGTERM', stop.onSignal);
  process.on('SIGINT', stop.onSignal);
  // Only now: a reader of this line may ask it to stop immediately.
  if (member) member.ready(line);
  else process.stdout.write(`${line}\n`);
  // Otherwise the cache would be written only when the process ends by itself.
  flushCompileCache();
}

/** Service managers send it to have workers replaced; from a terminal it means the end, as ever. */
function ignoreHangup(log: Logger): void {
  if (isOnTerminal()) return;
  onHangup(() => log.warn('SIGHUP: nothing replaces a process without a supervisor; restart it instead'));
}

function asMember(stop: Stopper): SupervisedMember {
  // Meant for the supervisor, but terminals and service managers send it to all processes.
  onHangup(() => {});
  return new SupervisedMember({ retire: stop.retire, orphaned: () => stop.onSignal('SIGTERM') });
}

/** @param given on the command line, which wins over the configuration */
function fleetTerms(prepared: PreparedServer, given: number | undefined): FleetTerms | undefined {
  const workers = given ?? prepared.workers;
  if (workers === undefined) return undefined;
  const { stopWithin, workerSilenceSeconds } = prepared;
  return { workers, stopWithinMs: stopWithin * 1000, silenceMs: workerSilenceSeconds * 1000 };
}

interface Arguments {
  readonly file?: string | undefined;
  readonly help?: boolean | undefined;
  readonly workers?: number | undefined;
}

const MOST_WORKERS = 256;

function readArguments(): Arguments {
  const options = {
    file: { type: 'string', short: 'f' },
    help: { type: 'boolean', short: 'h' },
    workers: { type: 'string' },
  } as const;
  const { file, help, workers } = parsed(() => parseArgs({ options }).values);
  if (workers === undefined) return { file, help };
  const count = /^\d{1,3}$/.test(workers) ? Number(workers) : 0;
  if (count < 1 || count > MOST_WORKERS) {
    throw new UsageError(`--workers ${workers} is not right; it must be a whole number from 1 to ${MOST_WORKERS}`);
  }
  return { file, help, workers: count };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
