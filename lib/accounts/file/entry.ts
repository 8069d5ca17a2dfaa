/** The JSON form of one account in the accounts file, and what is said of one that has another form. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { UUID_PATTERN } from '../../text/uuid.ts';

/** As written in the file. */
export interface AccountEntry {
  readonly uuid: string;
  readonly login: string;
  /** ISO date. */
  readonly created_at?: string;
  /** ISO date. */
  readonly updated_at?: string;
  readonly disabled?: boolean;
  readonly email?: string;
  /** Names of datacenters. */
  readonly allowed_dcs?: readonly string[];
  /** OpenSSH public keys by name. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly users?: readonly UserEntry[];
  readonly roles?: readonly RoleEntry[];
  readonly policies?: readonly PolicyEntry[];
}

export interface UserEntry {
  readonly uuid: string;
  readonly login: string;
  readonly disabled?: boolean;
  readonly keys?: Readonly<Record<string, string>>;
}

export interface RoleEntry {
  readonly uuid: string;
  readonly name: string;
  /** Logins of sub-users. */
  readonly members?: readonly string[];
  readonly default_members?: readonly string[];
  /** Names of policies. */
  readonly policies?: readonly string[];
}

export interface PolicyEntry {
  readonly name: string;
  readonly rules: readonly string[];
}

const DATE = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$';

/** A login as UFDS allows it: 3 to 32 characters, starting with a letter. */
const LOGIN = '^[a-zA-Z][a-zA-Z0-9_.@%-]{2,31}$';

/** What a header can hold, without the comma that separates names, and the star that stands for all roles. */
const NAME = '^[!-)+\\--~][ -)+\\--~]{0,99}$';

const SSH_KEY =
  '^(ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]+={0,2}( [^\\r\\n]*)?$';

const uuid = { type: 'string', pattern: UUID_PATTERN };
const login = { type: 'string', pattern: LOGIN };
const name = { type: 'string', pattern: NAME };
const date = { type: 'string', pattern: DATE };
const keys = { type: 'object', additionalProperties: { type: 'string', pattern: SSH_KEY } };
const names = { type: 'array', items: { type: 'string' } };

function closed(properties: Readonly<Record<string, object>>, required: readonly string[]): object {
  return { type: 'object', required, additionalProperties: false, properties };
}

const USER = closed({ uuid, login, disabled: { type: 'boolean' }, keys }, ['uuid', 'login']);
const ROLE = closed({ uuid, name, members: names, default_members: names, policies: names }, ['uuid', 'name']);
const POLICY = closed({ name, rules: names }, ['name', 'rules']);
const list = (items: object) => ({ type: 'array', items });

const ENTRY = closed(
  {
    ...{ uuid, login, created_at: date, updated_at: date, disabled: { type: 'boolean' }, keys },
    ...{ email: { type: 'string' }, allowed_dcs: names },
    ...{ users: list(USER), roles: list(ROLE), policies: list(POLICY) },
  },
  ['uuid', 'login'],
);

const EXPECTED: Readonly<Record<string, string>> = {
  uuid: 'a lower-case UUID',
  login: '3 to 32 characters: letters, digits and _ . @ % -, starting with a letter',
  name: '1 to 100 characters of ASCII without commas and stars',
  created_at: 'an ISO date such as 2026-01-31T12:00:00Z',
  updated_at: 'an ISO date such as 2026-01-31T12:00:00Z',
  disabled: 'true or false',
  email: 'a text',
  allowed_dcs: 'a list of names of datacenters',
  keys: 'an object of OpenSSH public keys by name',
  users: 'a list of sub-users',
  members: 'a list of logins of sub-users',
  default_members: 'a list of logins of sub-users',
  rules: 'a list of rules such as "CAN getimage"',
};

/** `policies` of an account and of a role are two things. */
const EXPECTED_AT: Readonly<Record<string, string>> = {
  roles: 'a list of roles',
  policies: 'a list of policies',
  'roles/policies': 'a list of names of policies',
};

/** A process without such a file needs none of it, and the others compile it at their start. */
let compiled: ValidateFunction<AccountEntry> | undefined;

function entryValidator(): ValidateFunction<AccountEntry> {
  compiled ??= new Ajv({ allErrors: false, validateSchema: false, meta: false }).compile<AccountEntry>(ENTRY);
  return compiled;
}

/**
 * What is wrong with an entry, with its place: `entry 2 ("bob"): login must be …`; undefined if it has the right form.
 * @param index of the entry in the file
 */
export function wrongWith(index: number, entry: unknown): string | undefined {
  const isEntry = entryValidator();
  return isEntry(entry) ? undefined : describe(placeOf(index, entry), entry, isEntry.errors?.[0]);
}

/** How messages name a thing: `entry 2 ("bob")`. */
export function placeOf(index: number, value: unknown): string {
  const { login: itsLogin, name: itsName } = (value ?? {}) as { login?: unknown; name?: unknown };
  const shown = itsLogin ?? itsName;
  return typeof shown === 'string' ? `entry ${index} ("${shown}")` : `entry ${index}`;
}

function describe(place: string, value: unknown, error: ErrorObject | undefined): string {
  if (error === undefined) return `${place} is invalid`;
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  return describeAt(place, value, path, error, '');
}

/** Goes down the path, so that each list's entry is named. @param within the list that holds the value */
function describeAt(
  place: string,
  value: unknown,
  [key, next, ...rest]: readonly string[],
  error: ErrorObject,
  within: string,
): string {
  if (key === undefined) return ofObject(place, error, within);
  const listed = within === '' ? key : `${within}/${key}`;
  const inside = (value as Readonly<Record<string, unknown>>)[key];
  if (next !== undefined && key === 'keys') return `${place}: keys: "${next}" must be an OpenSSH public key`;
  if (
    next === undefined ||
    ['members', 'default_members', 'rules', 'allowed_dcs'].includes(key) ||
    listed === 'roles/policies'
  ) {
    return `${place}: ${key} must be ${EXPECTED_AT[listed] ?? EXPECTED[key]}`;
  }
  const item = (inside as readonly unknown[])[Number(next)];
  return describeAt(`${place}: ${key}: ${placeOf(Number(next), item)}`, item, rest, error, key);
}

const KINDS: Readonly<Record<string, string>> = {
  '': 'an account',
  users: 'a sub-user',
  roles: 'a role',
  policies: 'a policy',
};

function ofObject(place: string, error: ErrorObject, within: string): string {
  if (error.keyword === 'required') return `${place}: ${error.params['missingProperty']} is missing`;
  if (error.keyword === 'additionalProperties') {
    return `${place}: "${error.params['additionalProperty']}" is not a key of ${KINDS[within]}`;
  }
  return `${place} must be an object`;
}
