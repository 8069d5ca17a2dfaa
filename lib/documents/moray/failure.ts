/** Moray's errors in the terms of the store. */
import { InvalidValueError, NotIndexedError, StoreFullError, StoreUnavailableError } from '../errors.ts';
import { fieldOf } from './names.ts';

/** What a call ended with, as the client says it. */
export class MorayError extends Error {
  override readonly name = 'MorayError';
  /** Moray's name of it, such as `EtagConflictError`; `error` is what PostgreSQL itself refused. */
  readonly kind: string;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.kind = cause instanceof Error ? cause.name : 'Error';
    const context: unknown = cause instanceof Error && 'context' in cause ? cause.context : undefined;
    this.context = typeof context === 'object' && context !== null ? { ...context } : {};
  }

  is(...kinds: readonly string[]): boolean {
    return kinds.includes(this.kind);
  }

  /** A part of the context. */
  text(part: string): string {
    return String(this.context[part] ?? '');
  }
}

/** The connection failed, not the call: whether it was carried out is not known. */
const CONNECTION = /^Fast|^NoBackendsError$|^TimeoutError$|^VError$/;
/** Such failures without a name of their own. */
const CONNECTION_MESSAGE = /^(no active connections|moray client has been closed)$/;
/** The call was never sent. */
const NOT_SENT = /^(no active connections|no connections available)$/;

const DISK_FULL = /No space left on device|disk full/i;
const INDEX_TOO_LONG = /index row (?:size|requires)/;
/** Other transactions were in the way, and this one was rolled back. */
const IN_THE_WAY = /deadlock detected|could not serialize|tuple concurrently updated/;

export function isConnectionFailure(error: unknown): boolean {
  return error instanceof MorayError && (CONNECTION.test(error.kind) || CONNECTION_MESSAGE.test(error.message));
}

export function wasNotSent(error: unknown): boolean {
  return error instanceof MorayError && NOT_SENT.test(error.message);
}

export function isInTheWay(error: unknown): boolean {
  return error instanceof MorayError && IN_THE_WAY.test(error.message);
}

/** The error that a caller of the store gets. */
export function storeError(error: unknown): unknown {
  if (!(error instanceof MorayError)) return error;
  const { message, cause } = error;
  if (error.is('NotIndexedError', 'InvalidQueryError')) {
    const unusable: unknown[] = [error.context['unindexedFields'], error.context['reindexingFields']].flat();
    const field = unusable.find((name) => typeof name === 'string');
    return new NotIndexedError(error.text('bucket'), field === undefined ? error.text('filter') : fieldOf(field));
  }
  if (error.is('error', 'InternalError')) {
    if (DISK_FULL.test(message)) return new StoreFullError("the disk of Moray's database is full", { cause });
    if (INDEX_TOO_LONG.test(message)) {
      const [, index = 'key'] = /index "([^"]*)"/.exec(message) ?? [];
      return new InvalidValueError('Moray', index, 'short enough for an index');
    }
  }
  return new StoreUnavailableError(`Moray failed: ${message}`, { cause });
}
