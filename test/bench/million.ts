/**
 * A million images in SQLite: what a request costs in CPU beside the same one with few, how long a start takes, and what
 * the list of everything does to others and to memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { ALICE } from '../helpers/accounts.ts';
import { forgetPeak, residentBytes } from '../helpers/resident.ts';
import { FEW, MANY, QUICK, SECONDS } from './extent.ts';
import { filledFolder } from './filled.ts';
import { benchFirstTime } from './first-time.ts';
import { load, type Paths } from './load.ts';
import { namesOf } from './many-images.ts';
import { compare, type Figure, median, type Plan, type Results, type Sample } from './measure.ts';
import { type Running, type ServerOptions, startServer, untilAtRest } from './server.ts';
import { watchable, watchTurnsOf } from './turns.ts';

const MOST = 1.5;
/** Alice owns one image of so many. */
const ALICES = 3;
/** Of IMGAPI's API. */
const NEWEST = { 'accept-version': '~3' };
const MIB = 2 ** 20;

interface Case {
  readonly what: string;
  readonly pathsOf: (images: number) => Paths;
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Any of all are asked for, again and again. Of few, all that is in memory after a second, as bytes that only have to be sent;
   * of a million nothing can be. It is told; what is judged is what nobody has asked for before, see first-time.ts.
   */
  readonly isToldOnly?: boolean;
}

const same = (prefix: string) => (): Paths => ({ prefix });
const byName =
  (prefix = '') =>
  (images: number): Paths => ({
    prefix: `/images?limit=20${prefix}&name=image-`,
    kind: 'number',
    count: namesOf(images),
  });

/** From any image on that Alice sees: pages that were hardly ever asked for before. */
const from =
  (filters: string) =>
  (images: number): Paths => ({
    prefix: `/images?limit=20${filters}&marker=`,
    kind: 'uuid',
    count: images,
    step: ALICES,
  });

const CASES: readonly Case[] = [
  {
    what: 'GetImage, any of them',
    pathsOf: (count) => ({ prefix: '/images/', kind: 'uuid', count }),
    isToldOnly: true,
  },
  { what: `GetImage, one of ${FEW}`, pathsOf: () => ({ prefix: '/images/', kind: 'uuid', count: FEW }) },
  { what: 'page of a name, any', pathsOf: byName(), isToldOnly: true },
  { what: 'page of an account', pathsOf: same(`/images?limit=20&account=${ALICE}`) },
  { what: 'page of an account, any', pathsOf: from(`&account=${ALICE}`), isToldOnly: true },
  { what: 'page of an account and a name', pathsOf: byName(`&account=${ALICE}`), isToldOnly: true },
  { what: 'first page, no filter', pathsOf: same('/images?limit=20') },
  { what: 'page by name=~, a few found', pathsOf: same(`/images?limit=20&name=~image-${namesOf(FEW) - 1}`) },
  { what: 'page by name=~, nothing found', pathsOf: same('/images?limit=20&name=~zzz') },
  { what: 'page by name=~, two letters that nobody has', pathsOf: same('/images?limit=20&name=~zz') },
  { what: 'page by tag', pathsOf: same('/images?limit=20&tag.role=db') },
  { what: 'page by tag, any', pathsOf: from('&tag.role=db'), isToldOnly: true },
  { what: 'page by shared=true', pathsOf: same(`/images?limit=20&shared=true&account=${ALICE}`), headers: NEWEST },
  {
    what: 'page by shared=true, any',
    pathsOf: from(`&shared=true&account=${ALICE}`),
    headers: NEWEST,
    isToldOnly: true,
  },
  { what: 'page by deprecated=true, any', pathsOf: from('&deprecated=true'), headers: NEWEST, isToldOnly: true },
  {
    what: 'page of an account by deprecated=true, any',
    pathsOf: from(`&deprecated=true&account=${ALICE}`),
    headers: NEWEST,
    isToldOnly: true,
  },
];

export async function* benchMillion(plan: Plan): Results {
  const few = await optionsOf(plan, FEW);
  const many = await optionsOf(plan, MANY);
  const servers: Running[] = [];
  yield* benchFirstTime(plan, few, many);
  try {
    yield await startTimes(plan, few, many, servers);
    await untilAtRest(servers.map(({ pid }) => pid));
    const [ofFew, ofMany] = servers as [Running, Running];
    for (const one of CASES) yield await costOf(plan, one, ofMany, ofFew);
    yield* searchTime(ofMany);
    yield* wholeList(ofMany);
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function optionsOf({ directory, profile }: Plan, count: number): Promise<ServerOptions> {
  const dataDir = await filledFolder(directory, count);
  return watchable({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) });
}

function costOf(
  { runs }: Plan,
  { what, pathsOf, headers = {}, isToldOnly = false }: Case,
  many: Running,
  few: Running,
): Promise<Figure> {
  const side =
    ({ url, pid }: Running, images: number) =>
    async (): Promise<Sample> => {
      const { perSecond, cpuEach } = await load({
        url,
        paths: pathsOf(images),
        seconds: SECONDS,
        pids: [pid],
        headers,
      });
      return { value: cpuEach, aside: perSecond };
    };
  const target = isToldOnly ? {} : { target: MOST };
  const shown = { unit: 'µs of CPU', ...target, kind: 'cost', asideUnit: 'requests/s', runs } as const;
  const compared = { name: `${what}, of ${MANY}`, against: `of ${FEW}`, isAtOnce: QUICK, ...shown };
  return compare(compared, side(many, MANY), side(few, FEW));
}

/** From the start of the process to its first answer. @param servers gets the two that were started last, which go on */
async function startTimes(
  { runs }: Plan,
  few: ServerOptions,
  many: ServerOptions,
  servers: Running[],
): Promise<Figure> {
  const once = async (options: ServerOptions): Promise<number> => {
    const begin = performance.now();
    const server = await startServer(options);
    servers.push(server);
    await answerOf(`${server.url}/ping`);
    return (performance.now() - begin) / 1000;
  };
  const [ofFew, ofMany]: [number[], number[]] = [[], []];
  for (let run = 0; run < runs; run++) {
    for (const server of servers.splice(0)) await server.stop();
    ofFew.push(await once(few));
    await untilAtRest(servers.map(({ pid }) => pid));
    ofMany.push(await once(many));
  }
  const [theirs, ours] = [median(ofFew), median(ofMany)];
  const name = `start to /ping, ${MANY} images`;
  return { ...limit(name, ours, 's', 1), theirs, ratio: ours / theirs, against: `${FEW} images`, runs };
}

/** Of searches that nobody has made before, each the longest of some. */
async function* searchTime({ url }: Running): Results {
  for (const [what, texts] of [
    ['found', ['mage-77', 'age-1234', '-4999']],
    ['nothing found', ['zzz', 'qqqqq', 'image-z']],
    ['two letters', ['zz', '7x', 'q9']],
  ] as const) {
    const times: number[] = [];
    for (const text of texts) {
      const begin = performance.now();
      await answerOf(`${url}/images?limit=20&name=~${text}`);
      times.push(performance.now() - begin);
    }
    yield limit(`name=~, ${what}, of ${MANY}`, Math.max(...times), 'ms', 100);
  }
}

async function* wholeList(server: Running): Results {
  await forgetPeak(server.pid);
  const before = (await residentBytes(server.pid)).now;
  const watched = await watchTurnsOf(server);
  const pings = new Pings(server.url);
  const begin = performance.now();
  const { body } = await request(`${server.url}/images`);
  let first = 0;
  let bytes = 0;
  for await (const piece of body) {
    first ||= performance.now() - begin;
    bytes += (piece as Buffer).length;
  }
  const seconds = (performance.now() - begin) / 1000;
  const worst = await pings.end();
  const longest = await watched();
  const { peak } = await residentBytes(server.pid);
  const name = `list of all ${MANY}`;
  yield limit(`${name}: first byte`, first, 'ms', 100);
  yield limit(`${name}: longest turn of the event loop`, longest, 'ms of CPU', 50);
  yield limit(`${name}: slowest /ping meanwhile`, worst, 'ms');
  yield limit(`${name}: memory`, Math.max(0, peak - before) / MIB, 'MiB more', 64);
  yield limit(`${name}: all of it`, seconds, `s, ${Math.round(bytes / MIB)} MiB`);
}

/** Asks one after the other, as long as something else goes on. */
class Pings {
  #isEnded = false;
  #worst = 0;
  readonly #done: Promise<void>;

  constructor(url: string) {
    this.#done = this.#ask(`${url}/ping`);
  }

  /** Milliseconds of the slowest one. */
  async end(): Promise<number> {
    this.#isEnded = true;
    await this.#done;
    return this.#worst;
  }

  async #ask(url: string): Promise<void> {
    while (!this.#isEnded) {
      const begin = performance.now();
      await answerOf(url);
      this.#worst = Math.max(this.#worst, performance.now() - begin);
      await sleep(5);
    }
  }
}

async function answerOf(url: string): Promise<void> {
  const { statusCode, body } = await request(url);
  await body.dump({ limit: Number.POSITIVE_INFINITY });
  if (statusCode !== 200) throw new Error(`${url} was answered ${statusCode}`);
}

function limit(name: string, ours: number, unit: string, target?: number): Figure {
  const judged = target === undefined ? {} : { target };
  return { name, ours, unit, ...judged, kind: 'limit', against: '', theirs: Number.NaN, ratio: Number.NaN, runs: 1 };
}
