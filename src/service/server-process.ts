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
import { onHangup } from '#lib/runtime/hangups.ts';
import { createLog } from '#lib/runtime/log.ts';
import { redact } from '#lib/text/redact.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { ConfigError } from './config/config-error.ts';
import type { PreparedServer, ServerProcess } from './prepared-server.ts';
import { serveAlone, stopOnFaults } from './serve-alone.ts';
import { serverHelp } from './server-help.ts';
import { stopper } from './stopping.ts';
import { SupervisedMember } from './supervisor/member.ts';
import type { FleetTerms, supervise } from './supervisor/supervisor.ts';

class UsageError extends Error {}

const FAILED = 1;
const CALLED_WRONGLY = 2;

export async function runServer<C extends object>(server: ServerProcess<C>): Promise<void> {
  try {
    await run(server);
  } catch (error) {
    const { name, command, usage } = server;
    const isKnown = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('E');
    const isUsage = error instanceof UsageError;
    const { message, stack } = error as Error;
    process.stderr.write(
      `${name}: ${redact((isKnown || isUsage ? message : stack) ?? message)}\n${isUsage ? `usage: ${command} ${usage}\n` : ''}`,
    );
    process.exit(isUsage ? CALLED_WRONGLY : FAILED);
  }
}

async function run<C extends object>(server: ServerProcess<C>): Promise<void> {
  const { name, command, needsConfig, prepare } = server;
  const { file, help, version, workers } = readArguments();
  if (help || version) {
    process.stdout.write(help ? serverHelp(server) : `${command} ${packageJson.version}\n`);
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
  const again = async (): Promise<PreparedServer<C>> => {
    const found = await prepare(file);
    logWhatWasFound(found, log);
    return found;
  };
  const fleet = async (from: PreparedServer<C>) => {
    const terms = fleetTerms(from, workers);
    if (!terms || cluster.isWorker) return undefined;
    // One server alone, and each worker, needs none of it.
    const supervisor = await import('./supervisor/supervisor.ts');
    return () => serveAsFleet(supervisor.supervise, log, terms, async () => fleetOf(await again(), workers, terms));
  };
  if (cluster.isWorker) return serveAsMember(prepared, log);
  const several = await fleet(prepared);
  if (several) await several();
  else await serveAlone({ log, prepared, again, live: new Set(server.live), fleet });
}

async function serveAsFleet(
  run: typeof supervise,
  log: Logger,
  terms: FleetTerms,
  reload: () => Promise<Reloaded>,
): Promise<void> {
  const line = await run(log, terms, async () => {
    const { logLevel, ...next } = await reload();
    log.level(logLevel);
    return next;
  });
  process.stdout.write(`${line}, ${terms.workers} workers\n`);
}

type Reloaded = FleetTerms & Pick<PreparedServer, 'logLevel'>;

/** A configuration that names no workers any more leaves one: the supervisor stays until the next start. */
function fleetOf(
  found: Fleet & Pick<PreparedServer, 'logLevel'>,
  given: number | undefined,
  before: FleetTerms,
): Reloaded {
  return { ...(fleetTerms(found, given) ?? { ...before, workers: 1 }), logLevel: found.logLevel };
}

type Found = Pick<PreparedServer, 'unknownKeys' | 'unknownKeyProblems' | 'notes' | 'warnings'>;

/** Once, however many workers read the same file. */
function logWhatWasFound({ unknownKeys, unknownKeyProblems, notes, warnings = [] }: Found, log: Logger): void {
  for (const warning of warnings) log.warn(warning);
  for (const note of notes) log.info(note);
  if (unknownKeys.length > 0) {
    log.warn({ keys: unknownKeys, problems: unknownKeyProblems }, 'the configuration has unknown keys');
  }
}

/** One server of several, which a supervisor started. */
async function serveAsMember<C>({ stopWithin, start }: PreparedServer<C>, log: Logger): Promise<void> {
  const stop = stopper(log, stopWithin * 1000);
  stopOnFaults(stop);
  const member = new SupervisedMember({ retire: stop.retire, orphaned: () => stop.onSignal('SIGTERM') });
  // Meant for the supervisor, but terminals and service managers send it to all processes.
  onHangup(() => {});
  const { line, close } = await start(log, member);
  stop.closes(async (closing) => {
    await close(closing);
    await member.farewell();
  });
  process.on('SIGTERM', stop.onSignal);
  process.on('SIGINT', stop.onSignal);
  member.ready(line);
  // Otherwise the cache would be written only when the process ends by itself.
  flushCompileCache();
}

type Fleet = Pick<PreparedServer, 'workers' | 'stopWithin' | 'workerSilenceSeconds'>;

/** @param given on the command line, which wins over the configuration */
function fleetTerms(prepared: Fleet, given: number | undefined): FleetTerms | undefined {
  const workers = given ?? prepared.workers;
  if (workers === undefined) return undefined;
  const { stopWithin, workerSilenceSeconds } = prepared;
  return { workers, stopWithinMs: stopWithin * 1000, silenceMs: workerSilenceSeconds * 1000 };
}

interface Arguments {
  readonly file?: string | undefined;
  readonly help?: boolean | undefined;
  readonly version?: boolean | undefined;
  readonly workers?: number | undefined;
}

const MOST_WORKERS = 256;

function readArguments(): Arguments {
  const options = {
    file: { type: 'string', short: 'f' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
    workers: { type: 'string' },
  } as const;
  const { workers, ...others } = parsed(() => parseArgs({ options }).values);
  if (workers === undefined) return others;
  const count = /^\d{1,3}$/.test(workers) ? Number(workers) : 0;
  if (count < 1 || count > MOST_WORKERS) {
    throw new UsageError(`--workers ${workers} is not right; it must be a whole number from 1 to ${MOST_WORKERS}`);
  }
  return { ...others, workers: count };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
