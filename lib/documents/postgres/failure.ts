/** PostgreSQL's error codes, and what becomes of a connection, in the terms of the store. */
import { DatabaseError } from 'pg';
import { StoreFullError, StoreUnavailableError } from '../errors.ts';
import type { Collision } from '../sql/dialect.ts';

/** What may help against a failure. */
export type Remedy =
  /** The same again: the server has undone the transaction. */
  | 'repeat'
  /** The same on another connection; what a transaction did whose COMMIT was sent has to be found out. */
  | 'reconnect'
  /** The same without prepared statements: a pooler in between gives each transaction another connection. */
  | 'unprepare'
  /** The same with the declarations that are in force now: another process has replaced a bucket's tables. */
  | 'refresh'
  | 'none';

/** feature_not_supported: a standby begins no transaction that writes. */
const STANDBY = '0A000';
/** read_only_sql_transaction: the server became a standby. */
const BECAME_STANDBY = '25006';

/** By SQLSTATE, or by its first two characters, which are its class. */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  '40001': 'repeat', // serialization_failure
  '40P01': 'repeat', // deadlock_detected
  '55P03': 'repeat', // lock_not_available
  '57014': 'repeat', // query_canceled: it waited for a lock for longer than a statement may take
  '23505': 'repeat', // unique_violation of a key: somebody else has just created the object
  '08': 'reconnect', // connection exceptions, and all that PgBouncer says
  [STANDBY]: 'reconnect',
  [BECAME_STANDBY]: 'reconnect',
  '25P03': 'reconnect', // idle_in_transaction_session_timeout
  '53300': 'reconnect', // too_many_connections
  '57P01': 'reconnect', // admin_shutdown
  '57P02': 'reconnect', // crash_shutdown
  '57P03': 'reconnect', // cannot_connect_now
  '57P05': 'reconnect', // idle_session_timeout
  '58000': 'reconnect', // system_error, of PgBouncer: it cannot log in
  '26000': 'unprepare', // invalid_sql_statement_name
  '42P05': 'unprepare', // duplicate_prepared_statement
  '42P01': 'refresh', // undefined_table
};

const DISK_FULL = '53100';
const UNIQUE_VIOLATION = '23505';
/** What the client says where the server asks for a password, and there is none. */
const NO_PASSWORD = /client password must be/;
/** The table was there when the statement was planned. */
const TABLE_GONE = /^could not open relation/;

/** The connection is gone, or counts as gone because it says nothing. */
export class ConnectionLostError extends StoreUnavailableError {}

export function remedyFor(error: unknown): Remedy {
  if (error instanceof ConnectionLostError) return 'reconnect';
  if (!(error instanceof DatabaseError)) return 'none';
  const { code = '08', message } = error;
  if (TABLE_GONE.test(message)) return 'refresh';
  return REMEDIES[code] ?? REMEDIES[code.slice(0, 2)] ?? 'none';
}

/** Whether the server takes no writes. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof DatabaseError && (error.code === STANDBY || error.code === BECAME_STANDBY);
}

/** The unique index that was violated. */
export function collisionOf(error: unknown): Collision | undefined {
  if (!(error instanceof DatabaseError) || error.code !== UNIQUE_VIOLATION) return undefined;
  const { table, constraint } = error;
  return table === undefined || constraint === undefined ? undefined : { table, column: constraint };
}

/** What to say where that is what the client ran into. It is not tried again, which would not bring one. */
export function passwordMissing(error: unknown): StoreUnavailableError | undefined {
  if (!(error instanceof Error && NO_PASSWORD.test(error.message))) return undefined;
  return new StoreUnavailableError('the database asks for a password, and none is given', { cause: error });
}

/** What went wrong with a connection, as an error of ours; what the server says stays as it is. */
export function connectionError(error: unknown): unknown {
  if (error instanceof DatabaseError || error instanceof StoreUnavailableError) return error;
  const { message } = error as Error;
  const lost = `the connection to the document store failed: ${message}`;
  return passwordMissing(error) ?? new ConnectionLostError(lost, { cause: error });
}

/** The error that a caller of the store gets. */
export function storeError(error: unknown): unknown {
  if (!(error instanceof DatabaseError)) return error;
  if (error.code === DISK_FULL) return new StoreFullError('the disk of the document store is full', { cause: error });
  return new StoreUnavailableError(`the document store failed: ${error.message}`, { cause: error });
}
