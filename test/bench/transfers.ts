/** Files of one size, 1 GiB unless `BENCH_MIB` says otherwise, and the ways that they take. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { MEBIBYTES } from './extent.ts';
import type { Running } from './server.ts';

export const MIB = 2 ** 20;
export const SIZE = MEBIBYTES * MIB;
/** For the names of what is measured. */
export const SIZE_NAME = SIZE % 2 ** 30 === 0 ? `${SIZE / 2 ** 30} GiB` : `${SIZE / MIB} MiB`;
const MANIFEST = { type: 'zone-dataset', os: 'linux', version: '1.0.0' };

/** MiB per second. */
export function rateOf(seconds: number): number {
  return SIZE / MIB / seconds;
}

/** Nothing that compresses, and nothing that a file system could leave out. */
export async function makeInput(directory: string): Promise<string> {
  const path = join(directory, `input-${SIZE / MIB}`);
  const known = await stat(path).catch(() => undefined);
  if (known?.size === SIZE) return path;
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(MIB);
  const source = Readable.from(
    (function* () {
      for (let done = 0; done < SIZE; done += MIB) yield cipher.update(zeros);
    })(),
  );
  await pipeline(source, createWriteStream(path));
  return path;
}

/**
 * Fills as much of the page cache as the next run will, and lets go of it. A virtual machine gets memory that it had
 * given back from its host again when it touches it, at some 300 MiB/s here, and whoever writes next pays for it: both
 * sides of a comparison begin with memory that the machine has.
 */
export async function touchMemory(input: string): Promise<void> {
  const path = `${input}.touched`;
  await copyFile(input, path);
  await rm(path);
}

export async function upload(
  server: Running,
  input: string,
): Promise<{ client: ImgapiClient; uuid: string; seconds: number }> {
  const client = new ImgapiClient({ url: server.url, account: ALICE });
  const { uuid } = await client.createImage({ ...MANIFEST, name: 'bench' });
  const begin = performance.now();
  await client.addImageFile(uuid, createReadStream(input, { highWaterMark: MIB }), { compression: 'none', size: SIZE });
  return { client, uuid, seconds: (performance.now() - begin) / 1000 };
}

/** An image of alice's with a file of so many MiB, that says nothing. */
export async function uploadFilled(client: ImgapiClient, mebibytes: number, name = 'bench'): Promise<string> {
  const { uuid } = await client.createImage({ ...MANIFEST, name });
  await fill(client, uuid, mebibytes);
  return uuid;
}

export async function fill(client: ImgapiClient, uuid: string, mebibytes: number): Promise<void> {
  const bytes = Buffer.alloc(MIB, uuid);
  const body = Readable.from(Array.from({ length: mebibytes }, () => bytes));
  await client.addImageFile(uuid, body, { compression: 'none', size: mebibytes * MIB });
}

/** Seconds from the order until another datacenter has copied an active image, by its own word; it is gone there again. */
export async function copyAcross(destination: Running, uuid: string): Promise<number> {
  const there = new ImgapiClient({ url: destination.url, account: ALICE });
  const begin = Date.now();
  const { finished_at: end = '' } = await copied(there, uuid);
  await there.deleteImage(uuid);
  await there.destroy();
  // Whoever watches learns it up to half a second later.
  return (Date.parse(end) - begin) / 1000;
}

/** Orders the copy there, and waits for its end. @throws unless it succeeded */
export async function copied(there: ImgapiClient, uuid: string): Promise<CopyStatus> {
  await there.copyImageFromDc(uuid, { datacenter: 'bench-1' });
  let last: CopyStatus | undefined;
  for await (const status of there.watchImageCopy(uuid)) last = status;
  if (last?.state === 'succeeded') return last;
  throw new Error(`the copy of ${uuid} ended as ${last?.state}`);
}

/** The same reader for both servers: it takes the bytes into one buffer and looks at none of them. @returns MiB per second */
export async function getRate(url: string): Promise<number> {
  const begin = performance.now();
  await getBytes(url, SIZE);
  return rateOf((performance.now() - begin) / 1000);
}

/** Of so many such readers at a time, each of which has a part of the file: MiB per second together. */
export async function getManyRate(url: string, readers: number): Promise<number> {
  const part = SIZE / 8;
  const begin = performance.now();
  await Promise.all(Array.from({ length: readers }, () => getBytes(url, part)));
  return (readers * part) / MIB / ((performance.now() - begin) / 1000);
}

async function getBytes(url: string, most: number): Promise<void> {
  const { hostname, port, pathname } = new URL(url);
  let received = 0;
  const socket = connect({
    port: Number(port),
    host: hostname,
    onread: {
      buffer: Buffer.alloc(MIB),
      callback(bytes) {
        received += bytes;
        return true;
      },
    },
  });
  const range = most < SIZE ? `Range: bytes=0-${most - 1}\r\n` : '';
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${range}Connection: close\r\n\r\n`);
  await once(socket, 'close');
  if (received < most) throw new Error(`${url}: ${received} bytes came`);
}

export async function link(source: Running, destination: Running): Promise<void> {
  const { token } = await asOperator(source, (client) => client.createLinkToken({}));
  const { linksUrl: url = '' } = source;
  await asOperator(destination, (client) => client.linkDatacenter({ name: 'bench-1', url, token }));
}

async function asOperator<T>(server: Running, act: (client: ImgapiClient) => Promise<T>): Promise<T> {
  const secret = (await readFile(join(server.dataDir, 'keys/operator.token'), 'utf8')).trim();
  const signer = () => ({ authorization: `Bearer ${secret}` });
  const client = new ImgapiClient({ url: server.url, signer });
  try {
    return await act(client);
  } finally {
    await client.destroy();
  }
}
