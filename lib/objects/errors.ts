/** Errors of the object store. */
import type { Capability } from './capabilities.ts';

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
    super(needed > 0 ? `${needed} bytes are needed, ${available} are free` : 'the disk is full');
    this.needed = needed;
    this.available = available;
  }
}

/** The backend cannot be reached or fails its caller (a disk that is read-only, say); the same call may work later. */
export class ObjectStoreUnavailableError extends Error {
  override readonly name = 'ObjectStoreUnavailableError';
}

/** The path cannot name an object: wrong in itself, or what is stored under another path is in its way. */
export class InvalidPathError extends Error {
  override readonly name = 'InvalidPathError';
  readonly path: string;

  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`object path ${JSON.stringify(path)} ${why}`, options);
    this.path = path;
  }
}

export class InvalidSessionNameError extends Error {
  override readonly name = 'InvalidSessionNameError';

  constructor(session: string) {
    super(`session name ${JSON.stringify(session)} must be 1 to 200 of A-Z a-z 0-9 . _ -, and not . or ..`);
  }
}

/** A session of that name has staged bytes; names are used once. */
export class SessionExistsError extends Error {
  override readonly name = 'SessionExistsError';

  constructor(session: string, options?: ErrorOptions) {
    super(`write session ${session} exists`, options);
  }
}

/** The caller used a session after its end, or from two places at once. */
export class SessionStateError extends Error {
  override readonly name = 'SessionStateError';

  constructor(session: string, state: string) {
    super(`write session ${session} is ${state}`);
  }
}

/** Fewer bytes are stored than the object's size promised. */
export class ObjectTruncatedError extends Error {
  override readonly name = 'ObjectTruncatedError';

  constructor(path: string, expected: number, found: number) {
    super(`object ${path} ended after ${found} of ${expected} bytes`);
  }
}

/** The hashes of a session cannot be known any more; its staged bytes can be taken over by another session. */
export class HashingError extends Error {
  override readonly name = 'HashingError';
}

/** The store does not claim what was asked of it, or cannot do it for this one object. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
  readonly capability: Capability;

  constructor(capability: Capability, message: string, options?: ErrorOptions) {
    super(message, options);
    this.capability = capability;
  }
}
