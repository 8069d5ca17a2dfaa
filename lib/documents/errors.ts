/** Errors of the document store, named after Moray's own. */

export class EtagConflictError extends Error {
  override readonly name = 'EtagConflictError';
  readonly bucket: string;
  readonly key: string;
  readonly expected: string | null;
  readonly actual: string | null;

  constructor(bucket: string, key: string, expected: string | null, actual: string | null) {
    super(`${bucket}::${key} has etag ${actual ?? 'none'}, not ${expected ?? 'none'}`);
    this.bucket = bucket;
    this.key = key;
    this.expected = expected;
    this.actual = actual;
  }
}

export class UniqueAttributeError extends Error {
  override readonly name = 'UniqueAttributeError';
  readonly bucket: string;
  readonly field: string;

  constructor(bucket: string, field: string, options?: ErrorOptions) {
    super(`another object of ${bucket} has the same ${field}`, options);
    this.bucket = bucket;
    this.field = field;
  }
}

export class NotIndexedError extends Error {
  override readonly name = 'NotIndexedError';

  constructor(bucket: string, field: string) {
    super(`${bucket} has no index on "${field}" that could answer this`);
  }
}

export class InvalidValueError extends Error {
  override readonly name = 'InvalidValueError';

  constructor(bucket: string, field: string, expected: string) {
    super(`${bucket}: the indexed field "${field}" must be ${expected}`);
  }
}

/** The backend cannot be reached or is busy for too long; the same call may work later. */
export class StoreUnavailableError extends Error {
  override readonly name: string = 'StoreUnavailableError';
}

/** The backend has no space left for this write. */
export class StoreFullError extends StoreUnavailableError {
  override readonly name = 'StoreFullError';
}

export function closedError(): StoreUnavailableError {
  return new StoreUnavailableError('the document store is closed');
}
