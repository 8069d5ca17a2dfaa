/** Many uploads, downloads and copies at once: how much more memory the server takes at its peak than when it was idle. */
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { forgetPeak, residentBytes } from '../helpers/resident.ts';
import { MEBIBYTES, QUICK } from './extent.ts';
import type { Figure, Plan, Results } from './measure.ts';
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
  const folders = ['crowds-source', 'crowds-destination'].map((name) => join(directory, name));
  const [from, to] = await Promise.all(folders.map((dataDir, at) => start(dataDir, at, profile)));
  if (!from || !to) throw new Error('two servers were to start');
  await link(from, to);
  const [source, destination] = [await rested(from), await rested(to)];
  const client = new ImgapiClient({ url: source.url, account: ALICE });
  const there = new ImgapiClient({ url: destination.url, account: ALICE });
  try {
    const uuids = await Promise.all(crowd(async () => (await client.createImage(MANIFEST)).uuid));
    const put = await above(source, () => Promise.all(uuids.map((uuid) => fill(client, uuid, FILE_BYTES / MIB))));
    yield figure(`${CROWD} PUTs of ${FILE_BYTES / MIB} MiB at once`, put);
    await Promise.all(uuids.map((uuid) => client.activateImage(uuid)));
    const get = await above(source, () => Promise.all(uuids.map((uuid) => download(source, uuid))));
    yield figure(`${CROWD} GETs`, get);
    const slow = await above(source, () => waitAmid(source, uuids));
    yield figure(`${CROWD} GETs that nobody reads on`, slow);
    let sending = 0;
    const copies = async () => {
      const given = await above(source, async () => void (await Promise.all(uuids.map((uuid) => copied(there, uuid)))));
      sending = given;
    };
    const taken = await above(destination, copies);
    yield figure(`${CROWD} copies, at the destination`, taken);
    yield figure(`${CROWD} copies, at the source`, sending);
  } finally {
    await Promise.all([client.destroy(), there.destroy()]);
    await Promise.all([destination.stop(), source.stop()]);
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

async function start(dataDir: string, at: number, profile: string | undefined): Promise<Running> {
  await rm(dataDir, { recursive: true, force: true });
  const copies = { concurrency: CROWD, perLink: CROWD, perAccount: CROWD };
  const name = `bench-${at + 1}`;
  // One account and one link do all of it, and watch it; the places that only operators get count as well.
  const limits = { share: 1, copies: 2 * CROWD, watches: 2 * CROWD };
  return startServer({ name, dataDir, keys: { copies, limits }, ...(profile !== undefined && { profile }) });
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

function figure(name: string, bytes: number): Figure {
  const target = LIMIT / MIB;
  return {
    ...{ name: `peak memory of ${name}`, against: 'idle', ours: bytes / MIB, theirs: 0, target },
    ...{ unit: 'MiB above idle', ratio: Number.NaN, kind: 'limit', runs: 1 },
  };
}
