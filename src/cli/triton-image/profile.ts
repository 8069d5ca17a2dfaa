/** Profiles as `triton` keeps them: which CloudAPI, which account, which key. Nothing is ever written to them. */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isHttpUrl } from '#lib/network/http-url.ts';
import { decodeUtf8, parseJsonText } from '#lib/text/json.ts';
import type { Environment } from '../framework/command.ts';
import { CommandError } from '../framework/errors.ts';
import { envProfile } from './env-profile.ts';
import type { TritonValues } from './options.ts';

export interface Profile {
  readonly name: string;
  /** Of the CloudAPI. */
  readonly url: string;
  /** Login. */
  readonly account: string;
  /** Fingerprint, MD5 or SHA256; empty if a token is sent, which needs no key. */
  readonly keyId: string;
  /** Takes any TLS certificate. */
  readonly insecure: boolean;
  /** Login of a sub-user. */
  readonly user?: string;
  /** The roles that it takes, separated by commas. */
  readonly roles?: string;
  /** Login of the account to act for. */
  readonly actAsAccount?: string;
}

export type ProfileFields = Readonly<Record<string, unknown>>;

const TEXTS = ['url', 'account', 'keyId', 'user', 'actAsAccount'] as const;

/**
 * The command line goes before the profile, whichever it is.
 * @param hasToken which stands in for a key
 * @throws CommandError Profile
 */
export async function loadProfile(values: TritonValues, env: Environment, hasToken = false): Promise<Profile> {
  const directory = configDirectory(env);
  const asked = values.profile ?? (env['TRITON_PROFILE'] || undefined);
  const name = asked ?? (await currentProfile(directory)) ?? 'env';
  const fields = name === 'env' ? envProfile(env) : await readProfile(directory, name);
  const where = name === 'env' ? 'the environment' : `profile "${name}"`;
  const hint = name === 'env' && asked === undefined ? [NO_PROFILE] : [];
  const needed = hasToken ? ['url', 'account'] : ['url', 'account', 'keyId'];
  const called = name === 'env' ? inEnvironment : (field: string) => field;
  return checked(name, { ...fields, ...overrides(values) }, { where, hint, needed, called });
}

const NO_PROFILE = 'name a profile with -p or TRITON_PROFILE, make one with: triton profile create, or set TRITON_*';

/** What the command line says. */
function overrides({ url, account, keyId, user, role, 'act-as': actAs, insecure }: TritonValues): ProfileFields {
  const given = { url, account, keyId, user, roles: role, actAsAccount: actAs, insecure: insecure || undefined };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

interface Checks {
  readonly where: string;
  readonly hint: readonly string[];
  readonly needed: readonly string[];
  /** What a missing field is called in messages. */
  readonly called: (field: string) => string;
}

/** `keyId (TRITON_KEY_ID)` */
function inEnvironment(field: string): string {
  return `${field} (TRITON_${field.replace(/[A-Z]/g, '_$&').toUpperCase()})`;
}

function checked(name: string, fields: ProfileFields, { where, hint, needed, called }: Checks): Profile {
  const missing = needed.filter((field) => fields[field] === undefined || fields[field] === '');
  if (missing.length > 0) throw profileError(`${where} has no ${missing.map(called).join(', no ')}`, hint);
  for (const field of TEXTS) {
    const value = fields[field];
    if (value !== undefined && typeof value !== 'string') throw wrong(where, field, value, 'a string');
  }
  const { insecure = false } = fields;
  if (typeof insecure !== 'boolean') throw wrong(where, 'insecure', insecure, 'true or false');
  const { url, account, keyId, user, actAsAccount } = fields as Readonly<Record<string, string>>;
  if (!isHttpUrl(url ?? '')) throw wrong(where, 'url', url, 'an http or https URL');
  return {
    name,
    url: url ?? '',
    account: account ?? '',
    keyId: keyId ?? '',
    insecure,
    ...(user && { user }),
    ...rolesOf(fields['roles'], where),
    ...(actAsAccount && { actAsAccount }),
  };
}

/** A profile of `triton` has them as a list. */
function rolesOf(roles: unknown, where: string): { readonly roles?: string } {
  if (roles === undefined || roles === '') return {};
  const names = [roles].flat();
  if (!names.every((name) => typeof name === 'string')) throw wrong(where, 'roles', roles, 'a list of strings');
  return names.length === 0 ? {} : { roles: names.join(',') };
}

function configDirectory(env: Environment): string {
  const named = env['TRITON_CONFIG_DIR'];
  if (named) return resolve(named.replace(/^~(?=\/|$)/, homeOf(env)));
  const shared = env['XDG_CONFIG_HOME'];
  return shared ? resolve(shared, 'triton') : join(homeOf(env), '.triton');
}

export function homeOf(env: Environment): string {
  return env['HOME'] || homedir();
}

/** The one that `triton profile set` chose. */
async function currentProfile(directory: string): Promise<string | undefined> {
  const config = await readObject(join(directory, 'config.json'));
  const name = config?.['profile'];
  return typeof name === 'string' && name !== '' ? name : undefined;
}

async function readProfile(directory: string, name: string): Promise<ProfileFields> {
  const file = join(directory, 'profiles.d', `${name}.json`);
  const fields = /[/\\]/.test(name) ? undefined : await readObject(file);
  if (!fields) throw profileError(`there is no profile "${name}": no file ${file}`, ['see: triton profile list']);
  return fields;
}

/** Undefined when there is no such file. */
async function readObject(file: string): Promise<ProfileFields | undefined> {
  let text: string;
  try {
    text = decodeUtf8(await readFile(file));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw profileError(`${file} cannot be read: ${(cause as Error).message}`, [], cause);
  }
  let value: unknown;
  try {
    value = parseJsonText(text);
  } catch (cause) {
    throw profileError(`${file} is ${(cause as Error).message}`, [], cause);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ProfileFields;
  throw profileError(`${file} must hold a JSON object`, []);
}

function wrong(where: string, field: string, value: unknown, right: string): CommandError {
  return profileError(`${field} of ${where} is ${JSON.stringify(value)}; it must be ${right}`, []);
}

function profileError(message: string, details: readonly string[], cause?: unknown): CommandError {
  return new CommandError(message, { code: 'Profile', details, ...(cause !== undefined && { cause }) });
}
