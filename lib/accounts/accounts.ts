/** The accounts of a cloud, their sub-users and the roles of these, as in UFDS. */

export interface Account {
  readonly uuid: string;
  readonly login: string;
  /** When the account was created. Absent means long ago. */
  readonly createdAt?: Date;
  /** When the account last changed (for example, its login was renamed). Absent means long ago. */
  readonly updatedAt?: Date;
  /** The operator has taken from it, and from its sub-users, all that it could do. Its images stay. */
  readonly isDisabled?: true;
  readonly email?: string;
  /** The datacenters where it may work, in clouds that limit that. */
  readonly allowedDatacenters?: readonly string[];
}

/** Somebody who acts for an account as far as the roles that the account gives out allow. UFDS: sdcAccountUser. */
export interface SubUser {
  readonly uuid: string;
  /** Unique in the account only. */
  readonly login: string;
  /** It may do nothing, whatever its roles are. */
  readonly isDisabled?: true;
}

/** What some sub-users of an account may do with whatever carries the role as a tag. UFDS: sdcAccountRole. */
export interface Role {
  readonly uuid: string;
  /** Unique in the account. */
  readonly name: string;
  /** UUIDs of the sub-users that may take the role. */
  readonly members: readonly string[];
  /** Those of the members who have the role without asking for it. */
  readonly defaultMembers: readonly string[];
  readonly policies: readonly Policy[];
}

/** UFDS: sdcAccountPolicy. */
export interface Policy {
  /** Unique in the account. */
  readonly name: string;
  /** Each allows something; in Aperture's language, such as `CAN getimage and listimages`. Not checked here. */
  readonly rules: readonly string[];
}

/** SSH public keys by name, in OpenSSH form. */
export type Keys = Readonly<Record<string, string>>;

export const NO_KEYS: Keys = Object.freeze({});

/** Every call rejects with {@link DirectoryUnavailableError} while the directory cannot be reached. */
export interface Accounts {
  byUuid(uuid: string): Promise<Account | undefined>;
  /** Logins are compared exactly, as UFDS stores them. */
  byLogin(login: string): Promise<Account | undefined>;
  /** Those of the UUIDs that exist, in one round trip. */
  byUuids(uuids: readonly string[]): Promise<Map<string, Account>>;
  /**
   * The keys of an account, or of one of its sub-users, which a directory keeps apart from them; none for a UUID that
   * nobody has. As long as they stay the same, directories and caches answer with the same object where they can.
   * @param subUser UUID
   */
  keysOf(uuid: string, subUser?: string): Promise<Keys>;
  /** @param account UUID. Logins are compared exactly. */
  subUserByLogin(account: string, login: string): Promise<SubUser | undefined>;
  /** @param account UUID; a sub-user of another account is not found */
  subUserByUuid(account: string, uuid: string): Promise<SubUser | undefined>;
  /**
   * All roles of an account with their policies, in one round trip; none if there is no such account. Members and
   * policies of theirs that are gone may be left out.
   * @param account UUID
   */
  rolesOf(account: string): Promise<readonly Role[]>;
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
