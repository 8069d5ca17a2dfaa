/** One GiB up, down, and across: against hashing alone, nginx's sendfile, and the upload. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { forgetPeak, residentBytes } from '../helpers/resident.ts';
import { compare, type Figure, median, type Plan, type Results, type Sample } from './measure.ts';
import { startNginx } from './nginx.ts';
import { type Running, startServer } from './server.ts';
import {
  copyAcross,
  getManyRate,
  getRate,
  link,
  MIB,
  makeInput,
  rateOf,
  SIZE_NAME,
  touchMemory,
  upload,
} from './transfers.ts';

const MEMORY_LIMIT = 64 * MIB;
/** Readers at a time. */
const MANY = 64;
/** Downloads of which the median is one run: each takes a third of a second, in which anything else on the machine counts. */
const DOWNLOADS = 7;

export async function* benchBytes({ directory, profile, runs }: Plan): Results {
  const input = await makeInput(directory);
  const names = {
    source: profile ? 'source-profiled' : 'source',
    destination: profile ? 'destination-profiled' : 'destination',
  };
  const options = (name: string, folder: string) => ({
    name,
    dataDir: join(directory, folder),
    // For whoever asks through nginx; the others notice nothing of it.
    keys: { storage: { accelRedirect: {} }, limits: { share: 1 } },
    ...(profile ? { profile } : {}),
  });
  for (const name of Object.values(names)) await rm(join(directory, name), { recursive: true, force: true });
  const [source, destination] = await Promise.all([
    startServer(options('bench-1', names.source)),
    startServer(options('bench-2', names.destination)),
  ]);
  try {
    await link(source, destination);
    const memory = new Memory();
    await memory.rest(source, destination);
    const put = () => memory.of('PUT', source, () => putOnce(source, input));
    const against = 'openssl sha1+sha256+md5, serial';
    yield await compare({ name: `PUT of ${SIZE_NAME}`, against, unit: 'MiB/s', target: 1.2, runs }, put, () =>
      hashRate(input),
    );
    const whole = { name: `PUT of ${SIZE_NAME} until its MD5 is told`, against, unit: 'MiB/s', runs };
    yield await compare(
      whole,
      () => putWhole(source, input),
      () => hashRate(input),
    );
    yield* benchGet({ directory, runs }, source, input, memory);
    const copy = () => memory.of('copy', destination, () => copyOnce(source, destination, input));
    const asPut = { against: `PUT of ${SIZE_NAME}`, unit: 'MiB/s', target: 0.7, runs };
    yield await compare({ name: `copy of ${SIZE_NAME}`, ...asPut }, copy, () => putOnce(source, input));
    yield* memory.figures(runs);
  } finally {
    await destination.stop();
    await source.stop();
  }
}

async function* benchGet({ directory, runs }: Plan, source: Running, input: string, memory: Memory): Results {
  const name = `GET of ${SIZE_NAME}`;
  const nginx = await startNginx(directory, input, source);
  if (!nginx) return yield { name, skipped: 'nginx is not installed' };
  const shown = { against: 'nginx with sendfile', unit: 'MiB/s', runs };
  try {
    const { client, uuid } = await upload(source, input);
    // nginx sends only what can be read by all who see the image.
    await client.activateImage(uuid);
    const path = `/images/${uuid}/file`;
    const mine = () => memory.of('GET', source, () => getSeveral(`${source.url}${path}`));
    const theirs = () => getSeveral(nginx.url);
    yield await compare({ name, target: 0.8, ...shown }, mine, theirs);
    const many = (url: string) => async (): Promise<Sample> => ({ value: await getManyRate(url, MANY) });
    const ofMany = { name: `GET, ${MANY} streams`, target: 0.8, ...shown };
    yield await compare(ofMany, many(`${source.url}${path}`), many(nginx.url));
    const through = { name: `${name} by X-Accel-Redirect`, target: 0.98, ...shown };
    yield await compare(through, () => getSeveral(`${nginx.serverUrl}${path}`), theirs);
    await client.deleteImage(uuid);
    await client.destroy();
  } finally {
    await nginx.stop();
  }
}

async function getSeveral(url: string): Promise<Sample> {
  const rates: number[] = [];
  while (rates.length < DOWNLOADS) rates.push(await getRate(url));
  return { value: median(rates) };
}

async function putOnce(server: Running, input: string): Promise<Sample> {
  await touchMemory(input);
  const { client, uuid, seconds } = await upload(server, input);
  await client.deleteImage(uuid);
  await client.destroy();
  return { value: rateOf(seconds) };
}

/** With the MD5, which comes after the answer: a reader waits for it. */
async function putWhole(server: Running, input: string): Promise<Sample> {
  await touchMemory(input);
  const { client, uuid, seconds } = await upload(server, input);
  const begin = performance.now();
  const asked = request(`${server.url}/images/${uuid}/file`, { method: 'HEAD', agent: false }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  if (!answer.resume().headers['content-md5']) throw new Error('the file has no MD5');
  const waited = (performance.now() - begin) / 1000;
  await client.deleteImage(uuid);
  await client.destroy();
  return { value: rateOf(seconds + waited) };
}

async function copyOnce(source: Running, destination: Running, input: string): Promise<Sample> {
  const { client, uuid } = await upload(source, input);
  await client.activateImage(uuid);
  await touchMemory(input);
  const seconds = await copyAcross(destination, uuid);
  await client.deleteImage(uuid);
  await client.destroy();
  return { value: rateOf(seconds) };
}

/** The three hashes that an upload needs, one after the other and nothing else. */
async function hashRate(input: string): Promise<Sample> {
  const begin = performance.now();
  for (const algorithm of ['-sha1', '-sha256', '-md5']) {
    const child = spawn('openssl', ['dgst', algorithm, input], { stdio: 'ignore' });
    const [code] = (await once(child, 'close')) as [number];
    if (code !== 0) throw new Error(`openssl dgst ${algorithm} failed`);
  }
  return { value: rateOf((performance.now() - begin) / 1000) };
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

  figures(runs: number): Figure[] {
    return [...this.#above].map(([name, values]) => ({
      name: `peak memory of ${name}`,
      against: 'idle',
      ours: median(values) / MIB,
      theirs: 0,
      unit: 'MiB above idle',
      ratio: Number.NaN,
      target: MEMORY_LIMIT / MIB,
      kind: 'limit',
      runs,
    }));
  }
}
