/** The people of the demo: an account with an SSH key each, and a home folder with that key for their commands. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsePrivateKey } from '#lib/signing/keys.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../helpers/accounts.ts';

export interface Person {
  readonly login: string;
  readonly uuid: string;
  /** OpenSSH form. */
  readonly publicKey: string;
  /** Of the key, SHA256. */
  readonly keyId: string;
  /** Home folder. */
  readonly home: string;
}

const UUIDS = { admin: ADMIN, alice: ALICE, bob: BOB, carol: CAROL } as const;
export type Login = keyof typeof UUIDS;

export async function makePeople(directory: string): Promise<Record<Login, Person>> {
  const people = await Promise.all(
    Object.entries(UUIDS).map(async ([login, uuid]) => [login, await makePerson(directory, login, uuid)] as const),
  );
  return Object.fromEntries(people) as Record<Login, Person>;
}

async function makePerson(directory: string, login: string, uuid: string): Promise<Person> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { publicKey } = parsePrivateKey(pem);
  const home = join(directory, 'home', login);
  await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  await writeFile(join(home, '.ssh/id_ed25519'), pem, { mode: 0o600 });
  await writeFile(join(home, '.ssh/id_ed25519.pub'), `${publicKey.openssh} ${login}@demo\n`);
  return { login, uuid, publicKey: publicKey.openssh, keyId: publicKey.fingerprints.sha256, home };
}

/** The account directory of the cloud. Answers the file's path. */
export async function writeDirectory(directory: string, people: Readonly<Record<Login, Person>>): Promise<string> {
  const file = join(directory, 'accounts.json');
  const accounts = Object.values(people).map(({ uuid, login, publicKey }) => ({
    uuid,
    login,
    created_at: '2017-10-17T00:00:00Z',
    keys: { [`${login}-key`]: publicKey },
  }));
  await writeFile(file, `${JSON.stringify(accounts, null, 2)}\n`);
  return file;
}
