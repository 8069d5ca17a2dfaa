/** One GiB up, down, and across: against hashing alone, nginx's sendfile, and the upload. */
import { spawn } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { forgetPeak, residentBytes } from '../helpers/resident.ts';
import { compare, type Figure, median, RUNS, type Skipped } from './measure.ts';
import { startNginx } from './nginx.ts';
import { type Running, startServer } from './server.ts';

const MIB = 2 ** 20;
const SIZE = Number(process.env['BENCH_MIB'] ?? 1024) * MIB;
const MEMORY_LIMIT = 80 * MIB;
const MANIFEST = { type: 'zone-dataset', os: 'linux', version: '1.0.0' };

export async function benchBytes(directory: string, profile?: string): Promise<(Figure | Skipped)[]> {
  const input = await makeInput(directory);
  const names = {
    source: profile ? 'source-profiled' : 'source',
    destination: profile ? 'destination-profiled' : 'destination',
  };
  const options = (name: string, folder: string) => ({
    name,
    dataDir: join(directory, folder),
    ...(profile ? { profile } : {}),
  });
  for (const name of Object.values(names)) await rm(join(directory, name), { recursive: true, force: true });
  const source = await startServer(options('bench-1', names.source));
  const destination = await startServer(options('bench-2', names.destination));
  try {
    await link(source, destination);
    const memory = new Memory();
    await memory.rest(source, destination);
    const put = () => memory.of('PUT', source, () => putOnce(source, input));
    const figures: (Figure | Skipped)[] = [];
    const against = 'openssl sha1+sha256+md5, serial';
    figures.push(
      await compare({ name: 'PUT of 1 GiB', against, unit: 'MiB/s', target: 0.7 }, put, () => hashRate(input)),
    );
    figures.push(await benchGet(directory, source, input, memory));
    const copy = () => memory.of('copy', destination, () => copyOnce(source, destination, input));
    figures.push(
      await compare({ name: 'copy of 1 GiB', against: 'PUT of 1 GiB', unit: 'MiB/s', target: 0.7 }, copy, () =>
        putOnce(source, input),
      ),
    );
    return [...figures, ...memory.figures()];
  } finally {
    await destination.stop();
    await source.stop();
  }
}

async function benchGet(directory: string, source: Running, input: string, memory: Memory): Promise<Figure | Skipped> {
  const name = 'GET of 1 GiB';
  const nginx = await startNginx(directory, input);
  if (!nginx) return { name, skipped: 'nginx is not installed' };
  try {
    const { client, uuid } = await upload(source, input);
    const mine = () => memory.of('GET', source, () => getRate(`${source.url}/images/${uuid}/file`));
    const figure = await compare({ name, against: 'nginx with sendfile', unit: 'MiB/s', target: 0.6 }, mine, () =>
      getRate(nginx.url),
    );
    await client.deleteImage(uuid);
    await client.destroy();
    return figure;
  } finally {
    await nginx.stop();
  }
}

/** Nothing that compresses, and nothing that a file system could leave out. */
async function makeInput(directory: string): Promise<string> {
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
async function touchMemory(input: string): Promise<void> {
  const path = `${input}.touched`;
  await copyFile(input, path);
  await rm(path);
}

async function upload(
  server: Running,
  input: string,
): Promise<{ client: ImgapiClient; uuid: string; seconds: number }> {
  const client = new ImgapiClient({ url: server.url, account: ALICE });
  const { uuid } = await client.createImage({ ...MANIFEST, name: 'bench' });
  await touchMemory(input);
  const begin = performance.now();
  await client.addImageFile(uuid, createReadStream(input, { highWaterMark: MIB }), { compression: 'none', size: SIZE });
  return { client, uuid, seconds: (performance.now() - begin) / 1000 };
}

async function putOnce(server: Running, input: string): Promise<number> {
  const { client, uuid, seconds } = await upload(server, input);
  await client.deleteImage(uuid);
  await client.destroy();
  return SIZE / MIB / seconds;
}

async function copyOnce(source: Running, destination: Running, input: string): Promise<number> {
  const { client, uuid } = await upload(source, input);
  await client.activateImage(uuid);
  const there = new ImgapiClient({ url: destination.url, account: ALICE });
  await touchMemory(input);
  const begin = performance.now();
  await there.copyImageFromDc(uuid, { datacenter: 'bench-1' });
  let state = '';
  for await (const status of there.watchImageCopy(uuid)) state = status.state;
  const seconds = (performance.now() - begin) / 1000;
  if (state !== 'succeeded') throw new Error(`the copy ended as ${state}`);
  await there.deleteImage(uuid);
  await client.deleteImage(uuid);
  await client.destroy();
  await there.destroy();
  return SIZE / MIB / seconds;
}

/** The three hashes that an upload needs, one after the other and nothing else. */
async function hashRate(input: string): Promise<number> {
  const begin = performance.now();
  for (const algorithm of ['-sha1', '-sha256', '-md5']) {
    const child = spawn('openssl', ['dgst', algorithm, input], { stdio: 'ignore' });
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`openssl dgst ${algorithm} failed`);
  }
  return SIZE / MIB / ((performance.now() - begin) / 1000);
}

/** The same reader for both servers: it takes the bytes into one buffer and looks at none of them. */
async function getRate(url: string): Promise<number> {
  const { hostname, port, pathname } = new URL(url);
  const begin = performance.now();
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
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`);
  await once(socket, 'close');
  if (received < SIZE) throw new Error(`${url}: ${received} bytes came`);
  return SIZE / MIB / ((performance.now() - begin) / 1000);
}

async function link(source: Running, destination: Running): Promise<void> {
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

/** How much more memory a server takes at its peak than when it had just been started and linked. */
class Memory {
  readonly #idle = new Map<number, number>();
  readonly #above = new Map<string, number[]>();

  async rest(...servers: readonly Running[]): Promise<void> {
    for (const { pid } of servers) this.#idle.set(pid, (await residentBytes(pid)).now);
  }

  async of<T>(name: string, server: Running, work: () => Promise<T>): Promise<T> {
    const idle = this.#idle.get(server.pid) ?? 0;
    await forgetPeak(server.pid);
    const result = await work();
    const above = Math.max(0, (await residentBytes(server.pid)).peak - idle);
    this.#above.set(name, [...(this.#above.get(name) ?? []), above]);
    return result;
  }

  figures(): Figure[] {
    return [...this.#above].map(([name, values]) => ({
      name: `peak memory of ${name}`,
      against: 'idle',
      ours: median(values) / MIB,
      theirs: 0,
      unit: 'MiB above idle',
      ratio: Number.NaN,
      target: MEMORY_LIMIT / MIB,
      kind: 'limit',
      runs: RUNS,
    }));
  }
}
