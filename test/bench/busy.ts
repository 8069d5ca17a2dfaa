/**
 * How late GetImage is answered while files come and go: 99 of 100 requests, beside the same load with nothing else going on.
 * The uploading client and the source of the copies are other machines where this runs in earnest. Here they take the processors of
 * the server, too.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ImgapiClient } from '#lib/client/client.ts';
import { ALICE } from '../helpers/accounts.ts';
import { FEW, QUICK, SECONDS } from './extent.ts';
import { ownFilledFolder } from './filled.ts';
import { load, type Paths } from './load.ts';
import { compare, type Figure, type Plan, type Results, type Sample, warm } from './measure.ts';
import { type Running, startServer, untilAtRest } from './server.ts';
import { link, uploadFilled } from './transfers.ts';

const ANY_IMAGE: Paths = { prefix: '/images/', kind: 'uuid', count: FEW };
/** Of uploads, and of copies, at any time. */
const AT_ONCE = 8;
const MEBIBYTES = QUICK ? 16 : 48;
/** How many times later they may be. */
const MOST = 5;
export async function* benchBusy({ directory, profile, runs }: Plan): Results {
  const sourceDir = join(directory, 'busy-source');
  await rm(sourceDir, { recursive: true, force: true });
  const dataDir = await ownFilledFolder(directory, 'busy', FEW);
  // One account and one link do all of it.
  const keys = { limits: { share: 1 }, copies: { concurrency: AT_ONCE, perLink: AT_ONCE, perAccount: AT_ONCE } };
  const own = { ...keys, formerDatacenterName: 'bench-1' };
  const [server, source] = await Promise.all([
    startServer({ name: 'bench-2', dataDir, keys: own, ...(profile && { profile }) }),
    startServer({ name: 'bench-1', dataDir: sourceDir, keys }),
  ]);
  try {
    yield await measured(server, source, runs);
  } finally {
    await source.stop();
    await server.stop();
    for (const folder of [dataDir, sourceDir]) await rm(folder, { recursive: true, force: true });
  }
}

async function measured(server: Running, source: Running, runs: number): Promise<Figure> {
  await link(source, server);
  const images = await imagesOf(source);
  await untilAtRest([server.pid, source.pid]);
  const late = async (): Promise<Sample> => {
    const served = await load({ url: server.url, paths: ANY_IMAGE, seconds: SECONDS, pids: [server.pid] });
    return { value: served.late, aside: served.perSecond };
  };
  await warm(late);
  const shown = { against: 'alone', unit: 'ms', asideUnit: 'requests/s', kind: 'cost', target: MOST, runs } as const;
  const name = `GetImage, p99, ${AT_ONCE} uploads and ${AT_ONCE} copies`;
  return compare({ name, ...shown }, () => whileBusy(server, images, late), late);
}

/** What there is to copy. */
async function imagesOf(source: Running): Promise<string[]> {
  const client = new ImgapiClient({ url: source.url, account: ALICE });
  const made = await Promise.all(Array.from({ length: AT_ONCE }, () => uploadFilled(client, MEBIBYTES, 'busy')));
  for (const uuid of made) await client.activateImage(uuid);
  await client.destroy();
  return made;
}

/** What `body` returns, while each image is copied again and again, and as many files are uploaded. */
async function whileBusy<T>({ url }: Running, images: readonly string[], body: () => Promise<T>): Promise<T> {
  const args = ['test/bench/traffic.ts', url, String(MEBIBYTES), ...images];
  const traffic = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(traffic, 'exit');
  const result = await Promise.race([once(traffic.stdout, 'data'), exited])
    .then(body)
    .finally(() => traffic.stdin.end());
  const [code] = await exited;
  if (code !== 0) throw new Error(`the uploads and copies ended with status ${code}`);
  return result;
}
