/** One GiB into, out of and across to a service whose files are in S3: against the plain SDK doing the same. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuSeconds } from '../cpu.ts';
import { compareWithAll, type Figure, type Plan, type Reference, type Results, type Sample } from '../measure.ts';
import { type Running, startServer } from '../server.ts';
import { copyAcross, getRate, link, makeInput, rateOf, SIZE_NAME, upload } from '../transfers.ts';
import { type Objects, startDatabase, startObjects } from './engines.ts';
import { PlainSdk } from './plain-sdk.ts';

const LEAST = 0.9;
/** The gateway's disk has 20 GiB, and what was removed or replaced it frees some minutes later. */
const MOST_RUNS = 3;
const KEY = 'plain/file';

interface Place {
  readonly input: string;
  readonly objects: Objects;
  readonly sdk: PlainSdk;
  /** With its files in S3; and another datacenter, with files of its own. */
  readonly service: Running;
  readonly elsewhere: Running;
  readonly runs: number;
}

export async function* benchBytesInS3(plan: Plan): Results {
  const { directory, profile } = plan;
  const input = await makeInput(directory);
  const database = await startDatabase();
  const started: { stop(): Promise<void> }[] = [{ stop: () => database.server.remove() }];
  const start = async (name: string, keys: object): Promise<Running> => {
    const dataDir = join(directory, `s3-${name}`);
    await rm(dataDir, { recursive: true, force: true });
    const server = await startServer({ name, dataDir, keys, ...(profile ? { profile } : {}) });
    started.push(server);
    return server;
  };
  try {
    const objects = await startObjects();
    started.push({ stop: () => objects.server.close() });
    const sdk = new PlainSdk(objects.server.settings);
    const elsewhere = await start('bench-1', {});
    const service = await start('bench-2', { ...database.keys('bytes'), ...objects.keys });
    await link(elsewhere, service);
    const runs = Math.min(plan.runs, MOST_RUNS);
    yield* measure({ input, objects, sdk, service, elsewhere, runs });
  } finally {
    for (const each of started.reverse()) await each.stop();
  }
}

async function* measure(place: Place): Results {
  const { input, objects, sdk, service, elsewhere, runs } = place;
  const plain = (what: string, work: () => Promise<void>) => ({
    against: `SDK${what}, ${objects.name}`,
    target: LEAST,
    side: () => sampled([], () => timed(work)),
  });
  const putting = (put: (isHashed: boolean) => Promise<void>) => [
    plain('', () => put(false)),
    plain(' with the same hashes', () => put(true)),
  ];
  const compared = (name: string, references: readonly Reference[], ours: () => Promise<number>): Promise<Figure[]> => {
    const shown = { name, unit: 'MiB/s', asideUnit: 's of CPU but the store', runs, warmups: 0 };
    return compareWithAll(shown, () => sampled([service.pid], ours), references);
  };
  const puts = putting((isHashed) => sdk.putFile(input, KEY, isHashed));
  yield* await compared(`PUT of ${SIZE_NAME}`, puts, () => putOnce(service, input));
  const got = await upload(service, input);
  const get = plain('', () => sdk.get(KEY));
  yield* await compared(`GET of ${SIZE_NAME}`, [get], () => getRate(`${service.url}/images/${got.uuid}/file`));
  await got.client.deleteImage(got.uuid);
  await got.client.destroy();
  const { client, uuid } = await upload(elsewhere, input);
  await client.activateImage(uuid);
  const copies = putting((isHashed) => sdk.putFrom(`${elsewhere.url}/images/${uuid}/file`, KEY, isHashed));
  yield* await compared(`copy of ${SIZE_NAME}`, copies, async () => rateOf(await copyAcross(service, uuid)));
  await client.destroy();
  sdk.close();
}

async function putOnce(server: Running, input: string): Promise<number> {
  const { client, uuid, seconds } = await upload(server, input);
  await client.deleteImage(uuid);
  await client.destroy();
  return rateOf(seconds);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begin = performance.now();
  await work();
  return rateOf((performance.now() - begin) / 1000);
}

/** With the CPU of the servers and of this process, which is the client. */
async function sampled(pids: readonly number[], work: () => Promise<number>): Promise<Sample> {
  const spent = async (): Promise<number> => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6 + (await cpuSeconds(...pids));
  };
  const before = await spent();
  const value = await work();
  return { value, aside: (await spent()) - before };
}
