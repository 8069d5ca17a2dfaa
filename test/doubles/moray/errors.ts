/** Errors as a Moray server sends them: by name, with a context. */

export class MorayError extends Error {
  readonly context: Readonly<Record<string, unknown>>;

  constructor(name: string, message: string, context: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = name;
    this.context = context;
  }
}

export function bucketNotFound(bucket: string): MorayError {
  return new MorayError('BucketNotFoundError', `${bucket} does not exist`, { bucket });
}

export function objectNotFound(bucket: string, key: string): MorayError {
  return new MorayError('ObjectNotFoundError', `${bucket}::${key} does not exist`, { bucket, key });
}

export function etagConflict(bucket: string, key: string, expected: string, actual: string): MorayError {
  const message = `${bucket}::${key} has etag "${actual}", not "${expected}"`;
  return new MorayError('EtagConflictError', message, { bucket, key, expected, actual });
}

export function uniqueAttribute(attribute: string, value: unknown): MorayError {
  const message = `${attribute} is a unique attribute (value: '${value}' already exists)`;
  return new MorayError('UniqueAttributeError', message, { attribute, value });
}

export function notIndexed(
  bucket: string,
  filter: string,
  context: Readonly<Record<string, unknown>> = {},
): MorayError {
  const message = `${bucket} does not have indexes that support ${filter}`;
  return new MorayError('NotIndexedError', message, { bucket, filter, ...context });
}

export function invalidQuery(filter: string): MorayError {
  return new MorayError('InvalidQueryError', `${filter} is an invalid filter`, { filter });
}

/** What PostgreSQL itself refuses reaches the client under its own name. */
export function postgresError(message: string): MorayError {
  return new MorayError('error', message);
}
