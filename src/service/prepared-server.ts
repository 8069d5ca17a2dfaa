/** What a server has to bring to be run as a process. */

import type Logger from 'bunyan';
import type { Closing } from '../http-kit/close-server.ts';
import type { LogLevel } from './config/config.ts';
import type { ServerUse } from './server-help.ts';
import type { FleetMember } from './supervisor/member.ts';

/** @typeParam C the configuration */
export interface ServerProcess<C = object> extends ServerUse {
  /** Its name in messages. */
  readonly name: string;
  /** Keys of the configuration that a running server takes; `logLevel` is among them. Others take a restart. */
  readonly live: readonly string[];
  /** Reads the configuration; its errors are shown. */
  readonly prepare: (file: string | undefined) => Promise<PreparedServer<C>>;
}

export interface PreparedServer<C = object> {
  readonly config: C;
  readonly logLevel: LogLevel;
  readonly unknownKeys: readonly string[];
  /** A line for each of them, with the key that was likely meant. */
  readonly unknownKeyProblems: readonly string[];
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
  readonly start: (log: Logger, fleet: FleetMember | undefined) => Promise<StartedServer<C>>;
}

export interface StartedServer<C = object> {
  /** Says where it listens. */
  readonly line: string;
  /** Takes what it can take without a restart, and reads again what lies beside the configuration. */
  readonly take: (config: C) => Promise<void>;
  /** Lets the requests under way finish, and releases everything. */
  readonly close: (closing: Closing) => Promise<void>;
}
