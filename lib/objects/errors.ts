/** Errors of the object store. */
import type { Capability } from './capabilities.ts';

export class ObjectNotFoundError extends Error {
  override readonly name = 'ObjectNotFoundError';

  constructor(path: string, options?: ErrorOptions) {
    super(`object ${path} does not exist`, options);
  }
}

export class InvalidRangeError extends Error {
  override readonly name = 'InvalidRangeError';
  readonly size: number;

  constructor(path: string, size: number) {
    super(`object ${path} has ${size} bytes; the range is invalid or begins after its end`);
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

  /** @param why as a store says it that does not tell how much is free */
  constructor(needed: number, available: number, why?: string) {
    super(why ?? (needed > 0 ? `${needed} bytes are needed, ${available} are free` : 'the disk is full'));
    this.needed = needed;
    this.available = available;
  }
}

/** The backend cannot be reached or has failed (a read-only disk, for example); the same call may work later. */
export class ObjectStoreUnavailableError extends Error {
  override readonly name = 'ObjectStoreUnavailableError';
}

/** The path cannot name an object: it is malformed, or what is stored under another path is in the way. */
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
    super(
      `session name ${JSON.stringify(session)} must be 1 to 200 of the characters A-Z a-z 0-9 . _ -, and not . or ..`,
    );
  }
}

/** A session with that name has staged bytes; each name is used only once. */
export class SessionExistsError extends Error {
  override readonly name = 'SessionExistsError';

  constructor(session: string, options?: ErrorOptions) {
    super(`write session ${session} already exists`, options);
  }
}

/** The caller used a session after its end, or from two places at once. */
export class SessionStateError extends Error {
  override readonly name = 'SessionStateError';

  constructor(session: string, state: string) {
    super(`write session ${session} is ${state}`);
  }
}

/** Fewer bytes are stored than the object's size says. */
export class ObjectTruncatedError extends Error {
  override readonly name = 'ObjectTruncatedError';

  constructor(path: string, expected: number, found: number, options?: ErrorOptions) {
    super(`object ${path} ended after ${found} of ${expected} bytes`, options);
  }
}

/** The hashes of a session are lost; another session can still take over its staged bytes. */
export class HashingError extends Error {
  override readonly name = 'HashingError';
}

/** The store does not claim this capability, or cannot do this for the given object. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
  readonly capability: Capability;

  constructor(capability: Capability, message: string, options?: ErrorOptions) {
    super(message, options);
    this.capability = capability;
  }
}
