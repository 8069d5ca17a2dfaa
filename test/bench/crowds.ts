/** Many uploads, downloads and copies at once: how much more memory the server takes at its peak than when it was idle. */
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { forgetPeak, residentBytes } from '../helpers/resident.ts';
import { MEBIBYTES, QUICK } from './extent.ts';
import type { Figure, Plan, Results } from './measure.ts';
import { keysFor, startDoubleApart } from './postgres-s3/engines.ts';
import { type Running, startServer } from './server.ts';
import { copied, fill, link, MIB } from './transfers.ts';

const CROWD = 64;
/** Together they are as large as the one file of other suites, and twice that: beyond 32 MiB a copy comes in pieces. */
const FILE_BYTES = Math.max(4, Math.ceil((2 * MEBIBYTES) / CROWD)) * MIB + 8 * MIB;
const LIMIT = 64 * MIB;
const MANIFEST = { type: 'zone-dataset', os: 'linux', version: '1.0.0', name: 'crowd' };

interface Rested extends Running {
  /** Resident bytes. */
  readonly idle: number;
}

export async function* benchCrowds({ directory, profile }: Plan): Results {
  const folders = ['source', 'destination', 's3'].map((name) => join(directory, `crowds-${name}`));
  const s3 = await startDoubleApart();
  const started = folders.map((dataDir, at) => start(dataDir, at, profile, at === 2 ? keysFor(s3) : {}));
  const [from, ...to] = await Promise.all(started);
  if (!from) throw new Error('a source was to start');
  for (const destination of to) await link(from, destination);
  const source = await rested(from);
  const destinations = await Promise.all(to.map(rested));
  const client = new ImgapiClient({ url: source.url, account: ALICE });
  try {
    const uuids = await Promise.all(crowd(async () => (await client.createImage(MANIFEST)).uuid));
    const put = await above(source, () => Promise.all(uuids.map((uuid) => fill(client, uuid, FILE_BYTES / MIB))));
    yield figure(`${CROWD} PUTs of ${FILE_BYTES / MIB} MiB at once`, put);
    await Promise.all(uuids.map((uuid) => client.activateImage(uuid)));
    const get = await above(source, () => Promise.all(uuids.map((uuid) => download(source, uuid))));
    yield figure(`${CROWD} GETs`, get);
    const slow = await above(source, () => waitAmid(source, uuids));
    yield figure(`${CROWD} GETs that nobody reads on`, slow);
    for (const [at, destination] of destinations.entries()) {
      const [taken, sending] = await copyAll(source, destination, uuids);
      const what = `${CROWD} copies${at === 0 ? '' : ' into S3'}`;
      // How much memory parts take on their way into S3 is for operators to say (`bufferBytes`): it is only told.
      yield figure(`${what}, at the destination`, taken, { isJudged: at === 0 });
      yield figure(`${what}, at the source`, sending);
    }
  } finally {
    await client.destroy();
    await Promise.all([source, ...destinations].map((server) => server.stop()));
    await s3.close();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

/** Bytes above idle at both ends. */
async function copyAll(source: Rested, destination: Rested, uuids: readonly string[]): Promise<[number, number]> {
  const there = new ImgapiClient({ url: destination.url, account: ALICE });
  try {
    let sending = 0;
    const taken = await above(destination, async () => {
      sending = await above(source, () => Promise.all(uuids.map((uuid) => copied(there, uuid))));
    });
    return [taken, sending];
  } finally {
    await there.destroy();
  }
}

async function start(dataDir: string, at: number, profile: string | undefined, engine: object): Promise<Running> {
  await rm(dataDir, { recursive: true, force: true });
  const copies = { concurrency: CROWD, perLink: CROWD, perAccount: CROWD };
  const name = `bench-${at + 1}`;
  // One account and one link do all of it, and watch it; the places that only operators get count as well.
  const limits = { share: 1, copies: 2 * CROWD, watches: 2 * CROWD };
  return startServer({ name, dataDir, keys: { copies, limits, ...engine }, ...(profile !== undefined && { profile }) });
}

async function rested(server: Running): Promise<Rested> {
  return { ...server, idle: (await residentBytes(server.pid)).now };
}

function crowd<T>(make: () => T): T[] {
  return Array.from({ length: CROWD }, make);
}

/** Bytes above what the server had when it had just been started and linked. */
async function above({ pid, idle }: Rested, work: () => Promise<unknown>): Promise<number> {
  await forgetPeak(pid);
  await work();
  return Math.max(0, (await residentBytes(pid)).peak - idle);
}

async function download(server: Running, uuid: string): Promise<void> {
  const socket = begin(server, uuid);
  let received = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.length;
  if (received < FILE_BYTES) throw new Error(`${uuid}: ${received} of ${FILE_BYTES} bytes came`);
}

/** All of them begin, and wait with what the server has made ready for them. */
async function waitAmid(server: Running, uuids: readonly string[]): Promise<void> {
  const sockets = uuids.map((uuid) => begin(server, uuid).pause());
  await new Promise((resolve) => setTimeout(resolve, QUICK ? 1000 : 2000));
  for (const socket of sockets) socket.destroy();
}

function begin({ url }: Running, uuid: string): Socket {
  const { hostname, port, host } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname });
  socket.on('error', () => undefined);
  socket.write(`GET /images/${uuid}/file HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return socket;
}

function figure(name: string, bytes: number, { isJudged = true } = {}): Figure {
  return {
    ...{ name: `peak memory of ${name}`, against: 'idle', ours: bytes / MIB, theirs: 0 },
    ...{ unit: 'MiB above idle', ratio: Number.NaN, kind: 'limit', runs: 1, ...(isJudged && { target: LIMIT / MIB }) },
  };
}
