/** CloudAPI for tests: people with keys, the server process, signed requests, and the real `triton`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import bunyan from 'bunyan';
import type { Test } from 'tap';
import { Pool } from 'undici';
import type { Clock } from '#lib/runtime/clock.ts';
import { type PrivateKey, parsePrivateKey } from '#lib/signing/keys.ts';
import { signRequest } from '#lib/signing/sign-request.ts';
import { startCloudapi } from '#src/cloudapi/app.ts';
import { checkCloudapiConfig } from '#src/cloudapi/config.ts';
import { ADMIN, ALICE, BOB, CAROL, writeAccounts } from './accounts.ts';
import { asStarted } from './as-started.ts';
import { checkedChild } from './contract/child.ts';
import { CLOUD } from './contract/contracts.ts';
import { holdToContract } from './contract/in-process.ts';
import { type ConfigKeys, temporaryFolder } from './imgapi.ts';
import { PATIENCE_MS } from './wait.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export type TestKeyType = 'rsa' | 'ecdsa' | 'ed25519';

export interface TestKey {
  readonly type: TestKeyType;
  /** PEM, as `ssh-keygen -m PKCS8` writes it. */
  readonly pem: string;
  readonly key: PrivateKey;
}

export function makeKey(type: TestKeyType): TestKey {
  const { privateKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ecdsa'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { type, pem, key: parsePrivateKey(pem) };
}

export interface Person {
  readonly uuid: string;
  readonly login: string;
  readonly keys: Readonly<Record<string, TestKey>>;
  readonly users?: readonly SubPerson[];
  /** As in the accounts file. */
  readonly roles?: readonly object[];
  readonly policies?: readonly object[];
  readonly disabled?: boolean;
  readonly email?: string;
  readonly allowed_dcs?: readonly string[];
}

/** A sub-user. */
export type SubPerson = Pick<Person, 'uuid' | 'login' | 'keys' | 'disabled'>;

/** Alice signs with RSA, bob with ECDSA, carol and the admin with Ed25519. */
export function makePeople(): Record<'admin' | 'alice' | 'bob' | 'carol', Person> {
  const person = (uuid: string, login: string, type: TestKeyType): Person => ({
    uuid,
    login,
    keys: { [`${login}-key`]: makeKey(type) },
  });
  return {
    admin: person(ADMIN, 'admin', 'ed25519'),
    alice: person(ALICE, 'alice', 'rsa'),
    bob: person(BOB, 'bob', 'ecdsa'),
    carol: person(CAROL, 'carol', 'ed25519'),
  };
}

/** Returns the path of the accounts file. */
export function writePeople(directory: string, people: readonly Person[]): Promise<string> {
  const entry = ({ uuid, login, disabled, keys }: SubPerson) => ({ uuid, login, disabled, keys: keysIn(login, keys) });
  const accounts = people.map(({ users, roles, policies, ...person }) => ({
    ...entry(person),
    created_at: '2017-10-17T00:00:00Z',
    ...{ users: users?.map(entry), roles, policies },
    ...{ email: person.email, allowed_dcs: person.allowed_dcs },
  }));
  return writeAccounts(directory, accounts);
}

function keysIn(login: string, keys: Person['keys']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(keys).map(([name, { key }]) => [name, `${key.publicKey.openssh} ${login}@example.com`]),
  );
}

/** What a sub-user signs with, in its account's name. */
export function subUserOf(person: Person, user: SubPerson): Pick<Ask, 'as' | 'key' | 'keyId'> {
  const key = keyOf(user);
  const { md5 } = key.key.publicKey.fingerprints;
  return { as: person, key, keyId: `/${person.login}/users/${user.login}/keys/${md5}` };
}

/** The first key of a person. */
export function keyOf(person: SubPerson): TestKey {
  const [key] = Object.values(person.keys);
  if (!key) throw new Error(`${person.login} has no key`);
  return key;
}

export interface TestCloudapi {
  readonly url: string;
  readonly accountsFile: string;
}

export interface CloudapiOptions {
  readonly people: readonly Person[];
  /** URL of the IMGAPI. */
  readonly imgapi: string;
  readonly keys?: ConfigKeys;
  readonly clock?: Clock;
}

async function configOf(t: Test, { people, imgapi, keys }: CloudapiOptions): Promise<ConfigKeys> {
  const directory = await temporaryFolder(t, 'cloudapi-test');
  return {
    port: 0,
    datacenterName: 'test-1',
    imgapi: { url: imgapi },
    accounts: { file: await writePeople(directory, people) },
    adminUuid: ADMIN,
    logLevel: 'fatal',
    ...keys,
  };
}

/** The process's log goes to `lines`, if given. */
export async function cloudapiInProcess(
  t: Test,
  options: CloudapiOptions,
  lines?: Record<string, unknown>[],
): Promise<TestCloudapi> {
  const { config } = checkCloudapiConfig(await configOf(t, options));
  const log = lines
    ? bunyan.createLogger({
        name: 'cloudapi',
        level: 'info',
        streams: [{ type: 'raw', stream: { write: (line: unknown) => lines.push(line as never) } as never }],
      })
    : bunyan.createLogger({ name: 'cloudapi', level: (process.env['TEST_LOG'] ?? 'fatal') as bunyan.LogLevel });
  const cloudapi = await startCloudapi(config, { log, ...(options.clock ? { clock: options.clock } : {}) });
  t.teardown(() => cloudapi.close({ patience: 0 }));
  holdToContract(t, cloudapi.url, CLOUD);
  const { accountsSource: source } = config;
  return { url: cloudapi.url, accountsFile: 'file' in source ? source.file : '' };
}

export interface SpawnedCloudapi extends TestCloudapi {
  /** The first line that the process wrote. */
  readonly line: string;
  readonly process: ChildProcess;
}

/** Runs `node src/cloudapi/main.ts` with a configuration file. */
export async function spawnCloudapi(t: Test, options: CloudapiOptions): Promise<SpawnedCloudapi> {
  const config = await configOf(t, options);
  const directory = await temporaryFolder(t, 'cloudapi-config');
  const file = join(directory, 'config.json');
  await writeFile(file, JSON.stringify(config));
  const contract = checkedChild(t);
  const given = asStarted();
  const args = [...given.options, '--import', contract.preload, 'src/cloudapi/main.ts', '-f', file];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', process.env['TEST_LOG'] ? 'inherit' : 'ignore'],
    env: { ...process.env, ...given.env, ...contract.env },
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, 'line').then(([first]) => String(first)),
    exited.then(() => '(exited)'),
  ]);
  const url = /listens on (http:\S+?),/.exec(line)?.[1];
  if (url === undefined) throw new Error(`cloudapi did not start: ${line}`);
  return { url, line, process: child, accountsFile: (config['accounts'] as { file: string }).file };
}

export interface Ask {
  readonly method?: string;
  readonly json?: unknown;
  /** Sent as it is, in place of `json`. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who signs; if absent, nobody does. */
  readonly as?: Person | undefined;
  /** Default: the person's first key. */
  readonly key?: TestKey;
  /** Default: `/LOGIN/keys/MD5`. */
  readonly keyId?: string;
  readonly date?: Date;
  /** Changes the signed headers before they are sent. */
  readonly spoil?: (headers: Record<string, string>) => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
  // biome-ignore lint/suspicious/noExplicitAny: assertions check what the server sent
  readonly json: any;
}

export type Asker = (path: string, ask?: Ask) => Promise<Answer>;

/** Sends requests exactly as given, and returns answers without interpreting them. */
export function asker(t: Test, url: string): Asker {
  const pool = new Pool(url, { allowH2: false });
  t.teardown(() => pool.destroy());
  return async (path, ask = {}) => {
    const { method = 'GET', json, headers = {} } = ask;
    const body = json === undefined ? ask.body : JSON.stringify(json);
    const answer = await pool.request({
      method,
      path,
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...signedHeaders(method, path, ask),
      },
      ...(body !== undefined && { body }),
    });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    const flat = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
    return { status: answer.statusCode, headers: Object.fromEntries(flat), bytes, json: parsed(bytes) };
  };
}

export function signedHeaders(method: string, path: string, ask: Ask): Record<string, string> {
  const { as: person, date = new Date() } = ask;
  if (!person) return {};
  const { key } = ask.key ?? keyOf(person);
  const headers = signRequest({
    method,
    path,
    headers: {},
    key,
    keyId: ask.keyId ?? `/${person.login}/keys/${key.publicKey.fingerprints.md5}`,
    date,
    signed: ['(request-target)', 'date'],
  });
  const spoiled = { ...headers };
  ask.spoil?.(spoiled);
  return spoiled;
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Triton = (...args: readonly string[]) => Promise<Ran>;

/** The real client, with a person's key in a home folder of its own, and without an SSH agent. @param user signs, if given */
export async function tritonOf(t: Test, person: Person, url: string, user?: SubPerson): Promise<Triton> {
  const home = await temporaryFolder(t, 'triton-home');
  const { type, pem, key } = keyOf(user ?? person);
  await mkdir(join(home, '.ssh'), { mode: 0o700 });
  await writeFile(join(home, '.ssh', `id_${type}`), pem, { mode: 0o600 });
  await writeFile(join(home, '.ssh', `id_${type}.pub`), `${key.publicKey.openssh} ${person.login}@example.com\n`);
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    TRITON_URL: url,
    TRITON_ACCOUNT: person.login,
    ...(user && { TRITON_USER: user.login }),
    TRITON_KEY_ID: key.publicKey.fingerprints.sha256,
  };
  return (...args) =>
    new Promise((resolve, reject) => {
      const command = [join(ROOT, 'node_modules/triton/bin/triton'), ...args];
      execFile(process.execPath, command, { env, timeout: PATIENCE_MS }, (error, stdout, stderr) => {
        const status = error ? error.code : 0;
        if (typeof status === 'number') resolve({ status, stdout, stderr });
        else reject(new Error(`triton ${args.join(' ')} did not end: ${stderr}`, { cause: error }));
      });
    });
}
