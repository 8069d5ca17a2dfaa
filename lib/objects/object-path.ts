import { InvalidPathError, InvalidSessionNameError } from './errors.ts';

/** What every backend can hold: S3 keys end at 1024 bytes, file names at 255. */
const MOST_PATH_BYTES = 1024;
const MOST_PART_BYTES = 255;

/** Where every backend keeps what is not committed yet, and the store's identity: names at the top of the store. */
export const STAGING = 'staging';
export const IDENTITY = 'identity';

const SESSION = /^[A-Za-z0-9._-]{1,200}$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
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
 * An object's or a directory's path: relative, `/` between the parts, and in none of the store's own places.
 * @throws InvalidPathError
 */
export function assertPath(path: string): void {
  const parts = path.split('/');
  const why = whyInvalid(parts, path);
  if (why !== undefined) throw new InvalidPathError(path, why);
  const [first = ''] = parts;
  if (isReserved(first)) throw new InvalidPathError(path, `begins with ${first}, which the store keeps for itself`);
}

/** Whether the store keeps a name at its top for itself. */
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
