/** Says at the start what is wrong with the settings, in the words of whoever wrote them. */
import { newUuid } from '../../text/uuid.ts';
import { S3Calls } from './calls.ts';
import { Keys } from './keys.ts';
import { deleteObject, hasKeysBelow } from './objects.ts';
import { S3Error } from './s3-error.ts';
import type { S3Settings } from './settings.ts';
import { abortUpload, createUpload } from './uploads.ts';

export type S3Setting = 'accessKeyId' | 'secretAccessKey' | 'bucket' | 'region' | 'clock';

/** A setting that no waiting mends. */
export class S3SettingError extends Error {
  override readonly name = 'S3SettingError';
  readonly setting: S3Setting;

  constructor(setting: S3Setting, message: string, options?: ErrorOptions) {
    super(message, options);
    this.setting = setting;
  }
}

const SETTINGS: Readonly<Record<string, S3Setting>> = {
  InvalidAccessKeyId: 'accessKeyId',
  SignatureDoesNotMatch: 'secretAccessKey',
  CredentialsProviderError: 'accessKeyId',
  ExpiredToken: 'accessKeyId',
  AccessDenied: 'bucket',
  NoSuchBucket: 'bucket',
  PermanentRedirect: 'region',
  AuthorizationHeaderMalformed: 'region',
  RequestTimeTooSkewed: 'clock',
};

/** Signatures are refused beyond 15 minutes; URLs for others are wrong by as much as the clock is. */
const MOST_SKEW_MS = 300_000;

/**
 * Asks the bucket something small.
 * @throws S3SettingError for what an operator has to mend; ObjectStoreUnavailableError if the store did not answer
 */
export async function checkBucket(settings: S3Settings): Promise<void> {
  const calls = new S3Calls(settings);
  try {
    await hasKeysBelow(calls, `${settings.prefix}/`);
    checkClock(calls.clockAhead);
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    const setting = SETTINGS[error.code];
    if (setting === undefined) throw error;
    throw new S3SettingError(setting, error.message, { cause: error });
  } finally {
    calls.close();
  }
}

/**
 * Does what writing takes, without leaving anything: reading may be allowed, and this not.
 * @throws S3Error, InsufficientStorageError
 */
export async function checkWrites(settings: S3Settings): Promise<void> {
  const calls = new S3Calls(settings);
  try {
    const session = `check.${newUuid()}`;
    const key = new Keys(settings.prefix).body(session);
    await abortUpload(calls, await createUpload(calls, key, session));
    await deleteObject(calls, key);
  } finally {
    calls.close();
  }
}

/** @param ahead milliseconds by which the store's clock is ahead */
function checkClock(ahead: number): void {
  if (Math.abs(ahead) <= MOST_SKEW_MS) return;
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  const direction = ahead > 0 ? 'behind' : 'ahead of';
  throw new S3SettingError('clock', `this machine's clock is ${minutes} minutes ${direction} the object store's`);
}
