/** Stores on Manta, version 1 and 2, each with multipart uploads and without, on doubles that a test file shares. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { Store } from '#lib/documents/store.ts';
import { type MantaStoreOptions, openMantaStore } from '#lib/objects/manta/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { documentRegister, STAGED_SESSIONS } from '#lib/objects/staging/document-register.ts';
import { generateKeys, type KeyPairText, parsePrivateKey } from '#lib/signing/keys.ts';
import { type MantaDouble, type MantaDoubleOptions, startMantaDouble } from '../doubles/manta/server.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';

export const MANTA_MODES = {
  'Manta v1': { version: 'v1', multipart: false },
  'Manta v1 with uploads': { version: 'v1', multipart: true },
  'Manta v2': { version: 'v2', multipart: false },
  'Manta v2 with uploads': { version: 'v2', multipart: true },
} as const satisfies Record<string, MantaDoubleOptions>;

const MANTA_USER = 'admin';
const BASE = 'imgapi';

let keys: Promise<KeyPairText> | undefined;

/** The key pair that doubles know the account by: of a kind that the double verifies quickly. */
function mantaKeys(): Promise<KeyPairText> {
  keys ??= generateKeys({ type: 'ecdsa', comment: 'imgapi' });
  return keys;
}

export interface MantaUnderTest {
  readonly double: MantaDouble;
  readonly documents: Store;
  /** Another process's store on the same Manta and documents. */
  open(datacenter?: string, options?: Partial<MantaStoreOptions>): Promise<ObjectStore>;
  residue(): Promise<string[]>;
}

/** A Manta of its own for a test, and documents for the register. */
export async function mantaUnderTest(t: Test, options: MantaDoubleOptions): Promise<MantaUnderTest> {
  const { publicOpenssh, privatePem } = await mantaKeys();
  const double = await startMantaDouble(options);
  double.addAccount(MANTA_USER, publicOpenssh);
  const documents = await openSqliteStore({ path: `${await temporaryFolder(t)}/data/documents.db` });
  await documents.open([STAGED_SESSIONS]);
  const opened: ObjectStore[] = [];
  t.teardown(async () => {
    await Promise.all(opened.map((store) => store.close()));
    await documents.close();
    await double.close();
  });
  return {
    double,
    documents,
    async open(datacenter = 'us-own-1', more = {}) {
      const store = await openMantaStore({
        url: double.url,
        user: MANTA_USER,
        key: parsePrivateKey(privatePem),
        baseDir: BASE,
        datacenter,
        register: documentRegister(documents, 'manta'),
        clock: documents,
        retries: { attempts: 4, firstPause: 10, longestPause: 1000 },
        timeout: 5000,
        ...more,
      });
      opened.push(store);
      return store;
    },
    async residue() {
      const entries = await documents.find(STAGED_SESSIONS, {});
      return [...mantaResidue(double), ...entries.map(({ key }) => `session ${key}`)];
    },
  };
}

export interface HurriedManta extends MantaUnderTest {
  readonly store: ObjectStore;
}

/** The same with a store that has little patience. */
export async function hurriedManta(t: Test, mode: MantaDoubleOptions): Promise<HurriedManta> {
  const made = await mantaUnderTest(t, mode);
  return { ...made, store: await made.open('us-own-1', { timeout: 500 }) };
}

export interface MantaFor {
  readonly double: MantaDouble;
  /** For a server's configuration. */
  readonly keys: { readonly storageTypes: readonly string[]; readonly manta: Readonly<Record<string, unknown>> };
}

/** A Manta for servers, and the keys by which they keep files in it. What they leave in it when the test ends is a failure. */
export async function mantaFor(t: Test, mode: MantaDoubleOptions = MANTA_MODES['Manta v1']): Promise<MantaFor> {
  const pair = await mantaKeys();
  const double = await startMantaDouble(mode);
  double.addAccount(MANTA_USER, pair.publicOpenssh, true);
  double.addAccount('alice', pair.publicOpenssh);
  const key = join(await temporaryFolder(t, 'manta-key'), 'id');
  await writeFile(key, pair.privatePem, { mode: 0o600 });
  t.teardown(async () => {
    const left = mantaResidue(double);
    await double.close();
    if (left.length > 0) throw new Error(`left about in Manta: ${left.join(', ')}`);
  });
  const { md5 } = pair.fingerprints;
  const manta = { url: double.url, user: MANTA_USER, key, keyId: md5, baseDir: BASE, timeoutSeconds: 10 };
  return { double, keys: { storageTypes: ['local', 'manta'], manta } };
}

/** Staged bytes, uploads under way, and directories below which no object is. */
function mantaResidue({ tree, uploads }: MantaDouble): string[] {
  const paths = tree.all();
  const objects = paths.filter((path) => !path.endsWith('/'));
  const staged = objects.filter((path) => path.includes('/staging/'));
  const isTop = (path: string): boolean => path.split('/').length <= DEPTH || path.endsWith('/staging/');
  const empty = paths.filter((path) => path.endsWith('/') && !objects.some((object) => object.startsWith(path)));
  return [...staged, ...empty.filter((path) => !isTop(path)), ...uploads.open.map((id) => `upload ${id}`)];
}

/** Parts of the path of a datacenter's folder, with a slash at its end. */
const DEPTH = '/admin/stor/imgapi/us-own-1/'.split('/').length;
