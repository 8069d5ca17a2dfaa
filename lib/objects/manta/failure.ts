/** What goes wrong between us and Manta, and what it means to those who use the store. */
import { InsufficientStorageError, ObjectStoreUnavailableError } from '../errors.ts';
import { isOfConnecting } from '../of-connecting.ts';

/** Manta answered with an error. */
export class MantaError extends Error {
  override readonly name = 'MantaError';
  readonly status: number;
  /** As on the wire, such as `DirectoryDoesNotExist`; empty for an answer without a body. */
  readonly code: string;
  /** Seconds. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, options: ErrorOptions & { retryAfter?: number } = {}) {
    super(`Manta answered ${[status, code, message].filter(Boolean).join(' ')}`, options);
    this.status = status;
    this.code = code;
    this.retryAfter = options.retryAfter;
  }
}

/** No answer came, or only part of one: whether Manta did what it was asked is not known. */
export class MantaSilentError extends Error {
  override readonly name = 'MantaSilentError';
  /** There was no connection, so that Manta certainly did nothing. */
  readonly isUnsent: boolean;

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.isUnsent = isOfConnecting(options.cause);
  }
}

/**
 * Whatever else stands at the URL, such as the page of a proxy, may answer 200 and do nothing: what Manta always says is
 * missing, so Manta has said nothing.
 */
export function notMantas(what: string, options?: ErrorOptions): MantaSilentError {
  return new MantaSilentError(`the answer ${what} is not that of a Manta`, options);
}

export function hasMantaCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof MantaError && codes.includes(error.code);
}

export function isAbsent(error: unknown): boolean {
  return error instanceof MantaError && error.status === 404;
}

/** The path of a new object lies below an object, or is a directory. */
export function isInTheWay(error: unknown): boolean {
  return hasMantaCode(
    error,
    'ParentNotDirectory',
    'OperationNotAllowedOnDirectory',
    'OperationNotAllowedOnRootDirectory',
    'InvalidUpdate',
  );
}

/** What an operator should do about errors that no repetition mends. */
const ADVICE: Readonly<Record<string, string>> = {
  AccountDoesNotExist: 'manta.user must be the login of an account of that Manta',
  UserDoesNotExist: 'manta.subuser must be a user of the account manta.user',
  AccountBlocked: 'the account manta.user is blocked, or was not approved for Manta',
  KeyDoesNotExist: 'the public key of manta.key must be added to the account (or subuser) in Triton',
  InvalidKeyId: 'manta.keyId must be the fingerprint of manta.key',
  InvalidSignature: 'manta.key must be the private key whose public key the account has',
  InvalidAlgorithm: 'that Manta does not take keys of this type; use an RSA key',
  AuthorizationFailed: 'the account manta.user must own the folder, or have been given a role for it',
  NoMatchingRoleTag:
    'the subuser needs a role that is on the folder (mchmod), and a policy that lets it read and write',
  MissingPermission: 'the policy of the subuser must let it get, put and delete objects and directories',
  InvalidRole: 'the roles of the subuser must exist',
  SecureTransportRequired: 'manta.url must begin with https:',
  DirectoryLimitExceeded: 'a directory of Manta takes a million entries; move some elsewhere',
};

/** Turns failures of Manta into the store's errors; returns anything else unchanged. */
export function explainManta(error: unknown, needed: number): unknown {
  if (error instanceof MantaSilentError) return new ObjectStoreUnavailableError(error.message, { cause: error });
  if (!(error instanceof MantaError)) return error;
  if (error.status === 507) {
    return Object.assign(new InsufficientStorageError(needed, 0), { cause: error });
  }
  const advice = isSkew(error) ? 'the clock of this machine, or that of Manta, is set wrong' : ADVICE[error.code];
  const message = advice === undefined ? error.message : `${error.message} (${advice})`;
  return new ObjectStoreUnavailableError(message, { cause: error });
}

/** Whether the credentials, not the moment, are the reason: the configuration has to be changed. */
export function isRefusal(error: unknown): error is MantaError {
  return error instanceof MantaError && (error.status === 401 || error.status === 403) && !isSkew(error);
}

function isSkew({ code, message }: MantaError): boolean {
  return (code === 'InvalidHeader' && message.includes('clock skew')) || code === 'RequestExpired';
}
