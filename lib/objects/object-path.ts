import { InvalidPathError, InvalidSessionNameError } from './errors.ts';

/** Limits that suit every backend: S3 keys have at most 1024 bytes, file names 255. */
const MOST_PATH_BYTES = 1024;
const MOST_PART_BYTES = 255;

/** Names at the top of the store, where every backend keeps uncommitted bytes and the store's identity. */
export const STAGING = 'staging';
export const IDENTITY = 'identity';

const SESSION = /^[A-Za-z0-9._-]{1,200}$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for control characters.
const CONTROL = /[\x00-\x1f\x7f]/;

function whyInvalid(parts: readonly string[], path: string): string | undefined {
  if (path.startsWith('/')) {
    return 'must not be absolute';
  }
  if (parts.includes('')) {
    return 'has an empty part';
  }
  if (parts.includes('.') || parts.includes('..')) {
    return 'has a part . or ..';
  }
  if (CONTROL.test(path)) {
    return 'has a control character';
  }
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) {
    return `is longer than ${MOST_PATH_BYTES} bytes`;
  }
  if (parts.some((part) => Buffer.byteLength(part) > MOST_PART_BYTES)) {
    return `has a part longer than ${MOST_PART_BYTES} bytes`;
  }
  return undefined;
}

/**
 * Checks the path of an object or directory: relative, `/` between the parts, and outside the store's own places.
 * @throws InvalidPathError
 */
export function assertPath(path: string): void {
  const parts = path.split('/');
  const why = whyInvalid(parts, path);
  if (why !== undefined) throw new InvalidPathError(path, why);
  const [first = ''] = parts;
  if (isReserved(first)) {
    throw new InvalidPathError(path, `begins with ${first}, which is reserved for the store itself`);
  }
}

/** Checks a path outside the store, which begins with a slash. @throws InvalidPathError */
export function assertForeignPath(path: string): void {
  const why = path.startsWith('/') ? whyInvalid(path.slice(1).split('/'), path.slice(1)) : 'must be absolute';
  if (why !== undefined) throw new InvalidPathError(path, why);
}

/** Whether a name at the top of the store is reserved for the store itself. */
export function isReserved(name: string): boolean {
  return name === STAGING || name === IDENTITY;
}

export function isSessionName(session: string): boolean {
  return SESSION.test(session) && session !== '.' && session !== '..';
}

/** @throws InvalidSessionNameError */
export function assertSessionName(session: string): void {
  if (!isSessionName(session)) {
    throw new InvalidSessionNameError(session);
  }
}
