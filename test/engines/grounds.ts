/**
 * What the processes of a datacenter share, for tests of the whole service: a database and an object store, both behind
 * the network. What is left there when a test ends is a failure.
 */
import type { Test } from 'tap';
import { openMorayStore } from '#lib/documents/moray/store.ts';
import { openPostgresStore } from '#lib/documents/postgres/store.ts';
import type { Store } from '#lib/documents/store.ts';
import { MorayDouble } from '../doubles/moray/server.ts';
import type { ConfigKeys } from '../helpers/imgapi.ts';
import { type Engine, engines } from './engines.ts';
import { MANTA_MODES, mantaFor } from './manta.ts';
import { type PostgresKind, postgresKinds } from './postgres/postgres-for.ts';
import { radosgwAbsent, startRadosgw } from './radosgw.ts';
import { type S3Server, s3For, sharedServer } from './s3.ts';

/** A server that all processes use. */
export interface Shared {
  readonly port: number;
  /** Of the configuration of a process that reaches it at this port of 127.0.0.1, and waits so long for it. */
  keys(port: number, waits?: Waits): ConfigKeys;
  /** As a crash ends it: at once, and what it has acknowledged stays. */
  stop(): Promise<void>;
  /** At the same port. */
  start(): Promise<void>;
}

export interface SharedDocuments extends Shared {
  /** Not through any relay; the caller closes it. */
  open(): Promise<Store>;
}

export interface SharedObjects extends Shared {
  /** As in `files[].stor`. */
  readonly stor: string;
  /** Paths of all objects of the datacenter, and of those that uploads under way are to become. */
  paths(): Promise<string[]>;
}

export interface Ground {
  readonly documents: SharedDocuments;
  readonly objects: SharedObjects;
}

export interface GroundUnderTest extends Engine {
  readonly make: (t: Test) => Promise<Ground>;
}

/** What a datacenter of a test stands on. */
export type Terrain = Pick<GroundUnderTest, 'name'> & Partial<GroundUnderTest>;

/** SQLite and files, which are below the data folder. */
export const LOCAL: Terrain = { name: 'SQLite and local files' };

/** How long a process waits for what it shares with others, in seconds. */
export interface Waits {
  readonly connect: number;
  readonly answer: number;
  /** While calls fail that may be made again. */
  readonly patience: number;
}

/** Long enough for a busy machine. */
const PATIENT: Waits = { connect: 10, answer: 10, patience: 20 };
const HURRIED = {
  documents: { connect: 2, answer: 3, patience: 4 },
  // Each call is made several times.
  objects: { connect: 1, answer: 1, patience: 1 },
} as const satisfies Record<string, Waits>;

/** The same, for a process that soon takes what does not answer for dead. */
export function hurried({ documents, objects }: Ground): Ground {
  return {
    documents: { ...documents, keys: (port) => documents.keys(port, HURRIED.documents) },
    objects: { ...objects, keys: (port) => objects.keys(port, HURRIED.objects) },
  };
}

async function inPostgres(t: Test, { placeFor }: PostgresKind): Promise<SharedDocuments> {
  const { options, keys, server } = await placeFor(t);
  const timesOf = ({ connect, answer, patience }: Waits) => ({
    connectSeconds: connect,
    statementSeconds: answer,
    patienceSeconds: patience,
  });
  return {
    port: options.port,
    keys: (port, waits = PATIENT) => ({ ...keys, postgres: { ...keys.postgres, ...timesOf(waits), port } }),
    open: () => openPostgresStore({ ...options, poolSize: 2 }),
    stop: () => server.stop('immediate'),
    start: () => server.start(),
  };
}

async function inMoray(t: Test): Promise<SharedDocuments> {
  const double = await new MorayDouble().start();
  t.teardown(() => double.stop());
  return {
    port: double.port,
    keys: (port, { answer } = PATIENT) => ({
      databaseType: 'moray',
      moray: { host: '127.0.0.1', port, timeoutSeconds: answer },
    }),
    open: () => openMorayStore({ host: '127.0.0.1', port: double.port }),
    stop: () => double.stop(),
    async start() {
      await double.start();
    },
  };
}

async function inS3(t: Test, start?: () => Promise<S3Server>): Promise<SharedObjects> {
  const { server, prefix, keys } = await s3For(t, start);
  const isBelow = `${prefix}/`;
  return {
    stor: 's3',
    port: Number(new URL(server.settings.endpoint).port),
    keys: (port, { connect, answer } = PATIENT) => ({
      storageTypes: ['s3'],
      s3: { ...keys.s3, connectSeconds: connect, idleSeconds: answer, endpoint: `http://127.0.0.1:${port}` },
    }),
    async paths() {
      const keys = [...(await server.keys(isBelow)), ...(await server.uploads(isBelow))];
      return keys.map((key) => key.slice(isBelow.length));
    },
    stop: () => server.stop(),
    start: () => server.start(),
  };
}

async function inManta(t: Test, mode: keyof typeof MANTA_MODES): Promise<SharedObjects> {
  const { double, keys } = await mantaFor(t, MANTA_MODES[mode]);
  return {
    stor: 'manta',
    port: double.port,
    keys: (port, { answer } = PATIENT) => ({
      storageTypes: ['manta'],
      manta: { ...keys.manta, timeoutSeconds: answer, url: `http://127.0.0.1:${port}` },
    }),
    async paths() {
      const objects = double.tree.all().filter((path) => !path.endsWith('/'));
      const below = objects.flatMap((path) => /^\/admin\/stor\/imgapi\/[^/]+\/(.*)$/.exec(path)?.[1] ?? []);
      return [...below, ...double.uploads.open.map((id) => `upload ${id}`)];
    },
    stop: () => double.stop(),
    start: () => double.start(),
  };
}

const POSTGRES_AND_S3: GroundUnderTest = {
  name: 'PostgreSQL and S3',
  make: async (t) => ({ documents: await inPostgres(t, postgresKinds.npm), objects: await inS3(t) }),
};

const MORAY_AND_MANTA: GroundUnderTest = {
  name: 'Moray and Manta',
  make: async (t) => ({ documents: await inMoray(t), objects: await inManta(t, 'Manta v1') }),
};

const radosgw = sharedServer(startRadosgw);

const POOLED_AND_RADOSGW: GroundUnderTest = {
  name: 'PostgreSQL 15 behind PgBouncer and radosgw',
  absent: () => postgresKinds.pooled.absent?.() ?? radosgwAbsent(),
  make: async (t) => ({
    documents: await inPostgres(t, postgresKinds.pooled),
    objects: await inS3(t, radosgw),
  }),
};

export const grounds = engines<GroundUnderTest>([POSTGRES_AND_S3], [POOLED_AND_RADOSGW]);

/** And those of today's Triton. */
export const allGrounds = engines<GroundUnderTest>([POSTGRES_AND_S3, MORAY_AND_MANTA], [POOLED_AND_RADOSGW]);

/** By the names that `make torture` knows. */
const NAMED: Readonly<Record<string, Terrain>> = {
  sqlite: LOCAL,
  postgres: POSTGRES_AND_S3,
  moray: MORAY_AND_MANTA,
  radosgw: POOLED_AND_RADOSGW,
};

export function terrainNamed(name: string): Terrain {
  const terrain = NAMED[name];
  if (terrain) return terrain;
  throw new Error(`there is no engine "${name}"; there are ${Object.keys(NAMED).join(', ')}`);
}
