/** Errors of the object store. */

export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';

  constructor(path: string, options?: ErrorOptions) {
    super(`object ${path} is not there`, options);
  }
}

export class InvalidRangeError extends Error {
  override readonly name = 'InvalidRangeError';
  readonly size: number;

  constructor(path: string, size: number) {
    super(`object ${path} has ${size} bytes; the range begins after its end`);
    this.size = size;
  }
}

/** The session's staged bytes were removed, by a discard or a take-over that fenced it. */
export class SessionGoneError extends Error {
  override readonly name = 'SessionGoneError';

  constructor(session: string, options?: ErrorOptions) {
    super(`write session ${session} is gone`, options);
  }
}

export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  readonly limit: number;

  constructor(limit: number) {
    super(`more than ${limit} bytes`);
    this.limit = limit;
  }
}

export class InsufficientStorageError extends Error {
  override readonly name = 'InsufficientStorageError';
  readonly needed: number;
  readonly available: number;

  constructor(needed: number, available: number) {
    super(`${needed} bytes are needed, ${available} are free`);
    this.needed = needed;
    this.available = available;
  }
}

/** The backend cannot be reached; the same call may work later. */
export class ObjectStoreUnavailableError extends Error {
  override readonly name = 'ObjectStoreUnavailableError';
}
