/**
 * The databases and stores that the configuration names, as this machine reaches them, whether or not the server runs: which
 * are down, where and why; and whose clocks differ. Each is asked for a few seconds at most, all at the same time.
 */
import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ImgapiUnreachableError } from '#lib/client/errors.ts';
import { HttpTransport } from '#lib/client/transport.ts';
import type { ExaminedDatabase } from '#lib/documents/postgres/examine.ts';
import { DATABASE_FILE } from '#lib/documents/sqlite/database-file.ts';
import { bareHost } from '#lib/network/listener-url.ts';
import { ifThere } from '#lib/runtime/absence.ts';
import { within } from '#lib/runtime/within.ts';
import { redact } from '#lib/text/redact.ts';
import type { Config } from '#src/service/config/config.ts';
import { HOME, HOME_KEY } from '#src/service/config/home.ts';
import { postgresOptionsOf } from '#src/service/config/postgres.ts';
import { s3SettingsOf } from '#src/service/config/s3.ts';
import { clockFinding } from './clock-finding.ts';
import type { Finding } from './finding.ts';
import { homeFindings } from './home-findings.ts';

const LIMIT_MS = 5000;
const FAR_MS = 240_000;
const WANTED = { bucket: HOME, key: HOME_KEY };

export interface StoresSeen {
  readonly findings: readonly Finding[];
  /** What is worth knowing, and not wrong. */
  readonly notes: readonly string[];
}

type Seen = Partial<StoresSeen> & {
  /** Milliseconds by which its clock is ahead of this machine's, as far as it can be seen. */
  readonly ahead?: number;
};

interface Place {
  /** `the database at 10.0.0.5:5432` */
  readonly name: string;
  readonly mend: string;
  /** Seconds of difference from which on it refuses signatures. */
  readonly mostSkew?: number;
  look(): Promise<Seen>;
}

export async function lookAtStores(config: Config): Promise<StoresSeen> {
  const seen = await Promise.all((await placesOf(config)).map(lookAt));
  return {
    findings: seen.flatMap(({ findings = [] }) => findings),
    notes: seen.flatMap(({ notes = [] }) => notes),
  };
}

async function lookAt({ name, mend, mostSkew, look }: Place): Promise<Seen> {
  try {
    const { ahead, ...seen } = await within(LIMIT_MS * 2, look(), () => {
      throw new Error(`it did not answer within ${(LIMIT_MS * 2) / 1000} s`);
    });
    const clock = ahead === undefined ? undefined : clockFinding(name, ahead / 1000, mostSkew);
    return clock ? { ...seen, findings: [...(seen.findings ?? []), clock] } : seen;
  } catch (error) {
    return { findings: [{ part: 'stores', problem: `${name} cannot be used: ${reasonOf(error)}`, mend }] };
  }
}

/** Node.js says nothing itself where each of several addresses has failed. Where it is has been said. */
function reasonOf(error: unknown): string {
  if (error instanceof ImgapiUnreachableError) return redact(error.message).replace(`${redact(error.url)} `, 'it ');
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  return redact(error instanceof Error ? error.message : String(error));
}

async function placesOf(config: Config): Promise<Place[]> {
  const { databaseType, storageTypes, moray, manta, ufds } = config;
  const places: Place[] = [];
  if (databaseType === 'local') places.push(sqlitePlace(config));
  if (databaseType === 'postgres') places.push(await postgresPlace(config));
  if (databaseType === 'moray' && moray) {
    const address = `${moray.host}:${moray.port}`;
    const mend = 'look at Moray, and at the way there';
    places.push({ name: `Moray at ${address}`, mend, look: () => askMoray(moray, config) });
  }
  if (storageTypes.includes('s3') && config.s3) places.push(await s3Place(config));
  if (storageTypes.includes('manta') && manta) {
    const mend = 'look at Manta, and at the way there; the section "manta" says where it is';
    places.push({ name: `Manta at ${redact(manta.url)}`, mend, mostSkew: 300, look: () => askHttp(manta.url) });
  }
  if (ufds) {
    const url = new URL(ufds.url);
    const port = Number(url.port) || (url.protocol === 'ldaps:' ? 636 : 389);
    const mend = 'look at the directory of accounts, and at the way there';
    const name = `the directory at ${bareHost(url)}:${port}`;
    const notes = [`${name} does not tell the time, so its clock was not compared`];
    places.push({ name, mend, look: async () => ({ ...(await reach(bareHost(url), port)), notes }) });
  }
  return places;
}

/** Searches for parts of texts read everything while there is no index. */
const ALL_SLOW = 'until then, searches for parts of texts read the whole table';
/** For what the index of the other kind has nothing of. */
const SLOW = {
  parts: 'until then, searches for parts of texts with three letters or digits in a row read the whole table',
  pairs: 'until then, searches for parts of texts without three letters or digits in a row read the whole table',
} as const;
const MADE = 'a running server makes it';
const MADE_IF_ALLOWED = `${MADE}, if it may make pg_trgm`;

function noIndexYet(where: string, how: string): string {
  return `there is no search index ${where} yet (${how}): ${ALL_SLOW}`;
}

function sqlitePlace(config: Config): Place {
  const { dataDir } = config;
  const file = join(dataDir, DATABASE_FILE);
  return {
    name: `the database ${file}`,
    mend: 'run this as the user of the server; if that is so, look at the file and its disk, and restore a backup if it is damaged',
    async look() {
      // No server was started here yet. What another user reads might leave files that the server may not write.
      const owner = (await ifThere(stat(file)))?.uid;
      if (owner === undefined) return {};
      if (owner !== process.geteuid?.()) {
        return { notes: [`${file} belongs to another user, so it was not looked at: run this as the server's`] };
      }
      const { documentIn, examineFile } = await import('#lib/documents/sqlite/examine.ts');
      const { unfinished, finished } = examineFile(file, LIMIT_MS);
      const findings = await homeFindings(documentIn(file, LIMIT_MS, WANTED), config);
      if (finished + unfinished.length === 0) return { findings, notes: [noIndexYet(`in ${file}`, MADE)] };
      return { findings, notes: unfinished.map((index) => `the search index ${index} is not finished: ${ALL_SLOW}`) };
    },
  };
}

/** Its clock is that of the database behind it. */
async function askMoray({ host, port }: NonNullable<Config['moray']>, config: Config): Promise<Seen> {
  // The client says only that there is no connection; this says why.
  await reach(host, port);
  const { documentIn, timeOfMoray } = await import('#lib/documents/moray/examine.ts');
  const before = Date.now();
  const now = await timeOfMoray({ host, port }, LIMIT_MS);
  const ahead = now - (before + Date.now()) / 2;
  return { ahead, findings: await homeFindings(await documentIn({ host, port }, LIMIT_MS, WANTED), config) };
}

async function postgresPlace(config: Config): Promise<Place> {
  const options = await postgresOptionsOf(config);
  const name = `the database at ${options.host}:${options.port}`;
  return {
    name,
    mend: 'look at PostgreSQL and its log, and at the way there; the section "postgres" says where it is and who asks',
    async look() {
      const { documentIn, examineDatabase } = await import('#lib/documents/postgres/examine.ts');
      const before = Date.now();
      const database = await examineDatabase(options, LIMIT_MS);
      const ahead = database.now - (before + Date.now()) / 2;
      const notes = postgresNotes(database, `in schema "${options.schema}"`);
      const homes = await homeFindings(await documentIn(options, LIMIT_MS, WANTED), config);
      return { ahead, notes, findings: [...standbyFindings(name, database), ...homes] };
    },
  };
}

function standbyFindings(name: string, { isStandby }: ExaminedDatabase): Finding[] {
  if (!isStandby) return [];
  const mend = 'point the section "postgres" at the primary, or promote this one if the primary is gone for good';
  return [{ part: 'stores', problem: `${name} cannot be written to: it is a standby`, mend }];
}

const READ_ONLY_BY_DEFAULT =
  'default_transaction_read_only is on: documents are written all the same, but no search index is made until it is off, for the server, the database and the role';

function postgresNotes(database: ExaminedDatabase, where: string): string[] {
  const { hasTrigrams, unfinished, missing, finished, isReadOnlyByDefault } = database;
  const how = hasTrigrams ? MADE : MADE_IF_ALLOWED;
  const notes = isReadOnlyByDefault ? [READ_ONLY_BY_DEFAULT] : [];
  if (finished + unfinished.length === 0) return [...notes, noIndexYet(where, how)];
  return [
    ...notes,
    ...unfinished.map(({ name, kind }) => `the search index ${name} ${where} is not finished: ${SLOW[kind]}`),
    ...missing.map(({ name, kind }) => {
      const making = kind === 'parts' ? how : MADE;
      return `the search index ${name} ${where} is not there yet (${making}): ${SLOW[kind]}`;
    }),
  ];
}

async function s3Place(config: Config): Promise<Place> {
  const settings = await s3SettingsOf(config);
  const endpoint = settings.endpoint ?? `https://s3.${settings.region}.amazonaws.com`;
  return {
    name: `bucket ${settings.bucket} at ${redact(endpoint)}`,
    mend: 'look at the object store, and at the way there; the section "s3" says where it is and who asks, and what it must be allowed is in docs/engines/s3.md',
    mostSkew: 900,
    async look() {
      const { ahead } = await askHttp(endpoint);
      const { checkBucket, checkWrites } = await import('#lib/objects/s3/check.ts');
      // Where the clocks are far apart it would say only that, and not by how much.
      const isFar = ahead !== undefined && Math.abs(ahead) > FAR_MS;
      if (!isFar) {
        await checkBucket(settings);
        await checkWrites(settings).catch(unwritable);
      }
      return { ...(ahead !== undefined && { ahead }) };
    },
  };
}

function unwritable(cause: Error): never {
  throw new Error(`it is read, and cannot be written: ${cause.message}`, { cause });
}

/** Any answer will do: only its Date is read, and nothing secret is sent. */
async function askHttp(url: string): Promise<Seen> {
  const limits = { connectTimeout: LIMIT_MS, answerTimeout: LIMIT_MS, idleTimeout: LIMIT_MS };
  const transport = new HttpTransport({ url, insecure: true, ...limits });
  try {
    const before = Date.now();
    const { headers, body } = await transport.send({ method: 'HEAD', path: '/' });
    body.destroy();
    const told = Date.parse(headers['date'] ?? '');
    // It is told in whole seconds.
    return Number.isNaN(told) ? {} : { ahead: told + 500 - (before + Date.now()) / 2 };
  } finally {
    await transport.destroy();
  }
}

/** Speaks to nobody: that somebody listens is all that is seen. */
function reach(host: string, port: number): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: LIMIT_MS });
    socket.once('connect', () => resolve({}));
    socket.once('timeout', () => reject(new Error(`no connection within ${LIMIT_MS / 1000} s`)));
    socket.once('error', reject);
    socket.once('connect', () => socket.destroy());
    socket.once('timeout', () => socket.destroy());
  });
}
