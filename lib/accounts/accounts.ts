/** The accounts of a cloud, as in UFDS. */

export interface Account {
  readonly uuid: string;
  readonly login: string;
  /** When the account was created. Absent means long ago. */
  readonly createdAt?: Date;
  /** When the account last changed (for example, its login was renamed). Absent means long ago. */
  readonly updatedAt?: Date;
}

/** SSH public keys by name, in OpenSSH form. */
export type Keys = Readonly<Record<string, string>>;

/** Every call rejects with {@link DirectoryUnavailableError} while the directory cannot be reached. */
export interface Accounts {
  byUuid(uuid: string): Promise<Account | undefined>;
  /** Logins are compared exactly, as UFDS stores them. */
  byLogin(login: string): Promise<Account | undefined>;
  /** Those of the UUIDs that exist, in one round trip. */
  byUuids(uuids: readonly string[]): Promise<Map<string, Account>>;
  /**
   * The keys of an account, which a directory keeps apart from it; none for a UUID that nobody has. As long as they stay
   * the same, directories and caches answer with the same object where they can.
   */
  keysOf(uuid: string): Promise<Keys>;
  close(): Promise<void>;
}

export interface DirectoryUnavailableOptions extends ErrorOptions {
  /** The directory answered, but would not or could not do this one thing: other calls may work. */
  readonly answered?: boolean;
}

/** The directory cannot be reached, or gives no answer that can be used; the same call may work later. */
export class DirectoryUnavailableError extends Error {
  override readonly name = 'DirectoryUnavailableError';
  readonly answered: boolean;

  constructor(message: string, { answered = false, ...options }: DirectoryUnavailableOptions = {}) {
    super(message, options);
    this.answered = answered;
  }
}

/** Seconds after which asking again is worth it: a directory that is back is found out within ten. */
export const DIRECTORY_RETRY_AFTER = 10;
