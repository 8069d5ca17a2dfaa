/**
 * A server as a process: reads `-f CONFIG`, writes a line when it listens, and on SIGTERM or SIGINT lets the requests
 * under way finish and exits with 0. It exits with 1 if it could not start, could not stop in time, or met an exception
 * that nobody caught; with 2 if it was called wrongly.
 */
import { flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import type Logger from 'bunyan';
import { redact } from '#lib/text/redact.ts';
import { ConfigError } from './config/config-error.ts';
import { stopper } from './stopping.ts';

export interface ServerProcess {
  /** Its name in messages. */
  readonly name: string;
  readonly usage: string;
  readonly needsConfig: boolean;
  /** Reads the configuration; its errors are shown. */
  readonly prepare: (file: string | undefined) => Promise<PreparedServer>;
}

export interface PreparedServer {
  readonly log: Logger;
  readonly unknownKeys: readonly string[];
  /** How many seconds the process may take to end after a SIGTERM, whatever is open. */
  readonly stopWithin: number;
  readonly start: () => Promise<StartedServer>;
}

export interface StartedServer {
  /** Says where it listens. */
  readonly line: string;
  /** Lets requests finish within `patience` milliseconds, then cuts them, and releases everything. */
  readonly close: (patience: number) => Promise<void>;
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

async function run({ usage, needsConfig, prepare }: ServerProcess): Promise<void> {
  const { file, help } = readArguments();
  if (help) {
    process.stdout.write(`usage: ${usage}\n`);
    return;
  }
  if (needsConfig && file === undefined) throw new UsageError('a configuration file is needed');
  // All files that are created from here on, by any library, are for this user alone.
  process.umask(0o077);
  // The reader of its output may be gone.
  process.stdout.on('error', () => {});
  const { log, unknownKeys, stopWithin, start } = await prepare(file);
  if (unknownKeys.length > 0) log.warn({ keys: unknownKeys }, 'the configuration has unknown keys');
  const stop = stopper(log, stopWithin * 1000);
  process.on('uncaughtException', (error) => stop.afterFault(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => stop.afterFault(error, 'unhandled rejection'));
  const { line, close } = await start();
  stop.closes(close);
  process.on('SIGTERM', stop.onSignal);
  process.on('SIGINT', stop.onSignal);
  // Only now: a reader of this line may ask it to stop immediately.
  process.stdout.write(`${line}\n`);
  // Otherwise the cache would be written only when the process ends by itself.
  flushCompileCache();
}

function readArguments(): { readonly file?: string | undefined; readonly help?: boolean | undefined } {
  const options = { file: { type: 'string', short: 'f' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
