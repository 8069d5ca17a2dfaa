/** S3 stores for tests: each on a prefix of its own in a bucket that all tests of a file share. */
import { join } from 'node:path';
import tap, { type Test } from 'tap';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { S3Limits, S3Settings } from '#lib/objects/s3/settings.ts';
import type { S3Staged } from '#lib/objects/s3/staging.ts';
import { openS3Store } from '#lib/objects/s3/store.ts';
import { documentRegister, STAGED_SESSIONS } from '#lib/objects/staging/document-register.ts';
import type { MakeObjectStore } from '../conformance/objects/harness.ts';
import { type S3Double, type S3Options, startS3Double } from '../doubles/s3/server.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';

/** A server with a bucket. */
export interface S3Server {
  readonly settings: Omit<S3Settings, 'prefix'> & { readonly endpoint: string };
  /** Keys of all objects, and of the objects that uploads under way are to become. */
  keys(prefix: string): Promise<readonly string[]>;
  uploads(prefix: string): Promise<readonly string[]>;
  removeAll(prefix: string): Promise<void>;
  /** Kills it; what it had answered stays. */
  stop(): Promise<void>;
  /** At the same place. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const MIB = 1024 ** 2;

/** So small that tests get to the bounds. */
const TEST_LIMITS: Partial<S3Limits> = { part: 5 * MIB, buffers: 20 * MIB, backoff: 10, patience: 100 };

export async function s3DoubleServer(options?: S3Options): Promise<S3Server> {
  const double = await startS3Double(options);
  const { endpoint, bucketName: bucket, credentials } = double;
  const below = (keys: Iterable<string>, prefix: string) => [...keys].filter((key) => key.startsWith(prefix));
  return {
    settings: { endpoint, region: 'us-east-1', bucket, credentials, pathStyle: true },
    keys: async (prefix) => below(double.bucket.objects.keys(), prefix),
    uploads: async (prefix) =>
      below(
        [...double.bucket.uploads.values()].map(({ key }) => key),
        prefix,
      ),
    async removeAll(prefix) {
      for (const key of below(double.bucket.objects.keys(), prefix)) double.bucket.objects.delete(key);
    },
    stop: () => double.stop(),
    start: () => double.start(),
    close: () => double.close(),
  };
}

export interface S3UnderTest {
  readonly double: S3Double;
  /** Another process's store on the same bucket and documents. */
  open(limits?: Partial<S3Limits>): Promise<ObjectStore>;
  residue(): Promise<string[]>;
}

/** A double of a test's own, to be told what to do wrong, and stores on it. */
export async function s3UnderTest(t: Test, options: S3Options = {}): Promise<S3UnderTest> {
  const double = await startS3Double(options);
  const { endpoint, bucketName: bucket, credentials } = double;
  const documents = await openSqliteStore({ path: join(await temporaryFolder(t), 'documents.db') });
  await documents.open([STAGED_SESSIONS]);
  const register = documentRegister<S3Staged>(documents, 's3');
  const opened: ObjectStore[] = [];
  t.teardown(async () => {
    double.faults.clear();
    await Promise.all(opened.map((store) => store.close()));
    await documents.close();
    await double.close();
  });
  return {
    double,
    async open(limits = {}) {
      const store = openS3Store({
        settings: {
          ...{ endpoint, bucket, credentials },
          region: 'us-east-1',
          prefix: 'p/dc',
          pathStyle: true,
          limits: { ...TEST_LIMITS, ...limits },
        },
        register,
        clock: documents,
      });
      opened.push(store);
      return store;
    },
    async residue() {
      const staged = [...double.bucket.objects.keys()].filter((key) => key.startsWith('p/dc/staging/'));
      const uploads = [...double.bucket.uploads.values()].map(({ key }) => `upload to ${key}`);
      const sessions: string[] = [];
      for await (const { session } of register.list()) sessions.push(`session ${session}`);
      return [...staged, ...uploads, ...sessions];
    },
  };
}

/** Starts a server when it is first asked for, and ends it with the file. */
export function sharedServer(start: () => Promise<S3Server>): () => Promise<S3Server> {
  let server: Promise<S3Server> | undefined;
  return () => {
    if (!server) {
      server = start();
      tap.teardown(async () => (await server)?.close());
    }
    return server;
  };
}

let prefixes = 0;

/** Staged objects and uploads under way. @param top is followed by one part of the prefix */
async function stagedBelow(server: S3Server, top: string): Promise<string[]> {
  const keys = await server.keys(`${top}/`);
  return [...keys.filter((key) => key.split('/')[2] === 'staging'), ...(await server.uploads(`${top}/`))];
}

/** A prefix that is empty, and of which nothing is left when the test has ended. */
function freshPrefix(t: Test, server: S3Server): string {
  prefixes += 1;
  const top = `test-${process.pid}-${prefixes}`;
  t.teardown(async () => {
    const left = await stagedBelow(server, top);
    await server.removeAll(`${top}/`);
    if (left.length > 0) throw new Error(`left in S3: ${left.join(', ')}`);
  });
  return top;
}

/** What the configuration of a service needs to keep its files in S3 beside the local ones. */
export interface S3Keys {
  readonly server: S3Server;
  readonly prefix: string;
  readonly keys: { readonly storageTypes: readonly ['local', 's3']; readonly s3: Readonly<Record<string, unknown>> };
}

const s3Double = sharedServer(() => s3DoubleServer());

/** A prefix of its own for a service. Whatever is staged or under way when the test has ended is a failure. */
export async function s3For(t: Test, start: () => Promise<S3Server> = s3Double): Promise<S3Keys> {
  const server = await start();
  const prefix = `${freshPrefix(t, server)}/dc`;
  const { endpoint, region, bucket, credentials } = server.settings;
  return {
    server,
    prefix,
    keys: {
      storageTypes: ['local', 's3'],
      s3: { endpoint, region, bucket, prefix, ...credentials, partBytes: 5 * MIB, bufferBytes: 20 * MIB },
    },
  };
}

/** @param limits beside {@link TEST_LIMITS} */
export function makeS3(start: () => Promise<S3Server>, limits: Partial<S3Limits> = {}): MakeObjectStore {
  return async (t) => {
    const server = await start();
    const top = freshPrefix(t, server);
    const path = join(await temporaryFolder(t), 'documents.db');
    const opened: ObjectStore[] = [];
    const open = async (datacenter: string): Promise<ObjectStore> => {
      const documents = await openSqliteStore({ path: `${path}.${datacenter}` });
      await documents.open([STAGED_SESSIONS]);
      const store = openS3Store({
        settings: { ...server.settings, prefix: `${top}/${datacenter}`, limits: { ...TEST_LIMITS, ...limits } },
        register: documentRegister(documents, 's3'),
        clock: documents,
      });
      opened.push(store);
      t.teardown(async () => {
        await store.close();
        await documents.close();
      });
      return store;
    };
    const reopen = () => open('us-own-1');
    return {
      store: await reopen(),
      reopen,
      sibling: open,
      async residue() {
        const sessions = await (await reopen()).sessions();
        return [...(await stagedBelow(server, top)), ...sessions.map(({ session }) => session)];
      },
    };
  };
}
