/**
 * What a request costs that nobody has made before, with few images and with many. Of few, all that is asked for again and
 * again is in memory after a second; what is asked for the first time has to be found, read and rendered with either.
 */
import { Agent, request } from 'undici';
import { ALICE } from '../helpers/accounts.ts';
import { cpuSeconds } from './cpu.ts';
import { FEW, MANY, QUICK } from './extent.ts';
import { namesOf, uuidOf } from './many-images.ts';
import { compare, type Plan, type Results, type Sample } from './measure.ts';
import { type ServerOptions, startServer, untilAtRest } from './server.ts';

const MOST = 1.5;
/** Enough to keep one server busy. */
const CONNECTIONS = 4;
/** Of all requests, those at first, by which code is compiled. They are about other images. */
const WARMING = 0.4;

interface Case {
  readonly what: string;
  /** @param step from one image of those that are asked for to the next */
  readonly paths: (step: number) => string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** Images from the beginning of one page to that of the next, so that none has an image of another: of three, Alice owns one. */
const APART = 72;
/** Of fifteen, two that others own are shared with her. */
const SHARED_APART = 160;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

const CASES: readonly Case[] = [
  { what: 'GetImage', paths: (step) => numbers(FEW).map((at) => `/images/${uuidOf(at * step)}`) },
  {
    what: 'page of a name',
    paths: (step) => numbers(namesOf(FEW)).map((at) => `/images?limit=20&name=image-${at * step}`),
  },
  { what: 'page of an account', paths: pagesBy(`&account=${ALICE}`) },
  { what: 'page by tag', paths: pagesBy('&tag.role=db') },
  {
    what: 'page by shared=true',
    paths: pagesBy(`&shared=true&account=${ALICE}`, SHARED_APART),
    headers: { 'accept-version': '~3' },
  },
];

function pagesBy(filters: string, apart = APART): Case['paths'] {
  const pages = numbers(Math.floor(FEW / apart));
  return (step) => pages.map((at) => `/images?limit=20${filters}&marker=${uuidOf(at * apart * step)}`);
}

export async function* benchFirstTime({ runs }: Plan, few: ServerOptions, many: ServerOptions): Results {
  // With so few images, the other pages are too few to tell anything.
  for (const { what, paths, headers = {} } of QUICK ? CASES.slice(0, 2) : CASES) {
    const side = (options: ServerOptions, images: number) => () => firstTime(options, paths(images / FEW), headers);
    const shown = { unit: 'µs of CPU', kind: 'cost', target: MOST, runs, isAtOnce: QUICK } as const;
    yield await compare(
      { name: `${what}, asked for the first time, of ${MANY}`, against: `of ${FEW}`, ...shown },
      side(many, MANY),
      side(few, FEW),
    );
  }
}

/** Each path once, by a server that was just started. */
async function firstTime(
  options: ServerOptions,
  paths: readonly string[],
  headers: Readonly<Record<string, string>>,
): Promise<Sample> {
  const server = await startServer(options);
  const agent = new Agent({ connections: CONNECTIONS });
  const asked = { dispatcher: agent, headers };
  try {
    await untilAtRest([server.pid]);
    const scattered = paths.toSorted((a, b) => rank(a) - rank(b));
    const warming = Math.floor(paths.length * WARMING);
    await askAll(server.url, scattered.slice(0, warming), asked);
    const before = await cpuSeconds(server.pid);
    await askAll(server.url, scattered.slice(warming), asked);
    const each = ((await cpuSeconds(server.pid)) - before) / (paths.length - warming);
    return { value: each * 1e6 };
  } finally {
    await agent.close();
    await server.stop();
  }
}

/** An order that is none of the paths, the same each time. */
function rank(path: string): number {
  let rank = 0;
  for (const character of path) rank = Math.imul(rank ^ character.charCodeAt(0), 16777619);
  return rank;
}

async function askAll(
  url: string,
  paths: readonly string[],
  options: { readonly dispatcher: Agent; readonly headers: Readonly<Record<string, string>> },
): Promise<void> {
  const left = paths[Symbol.iterator]();
  const askOn = async (): Promise<void> => {
    for (const path of left) {
      const { statusCode, body } = await request(`${url}${path}`, options);
      await body.dump({ limit: Number.POSITIVE_INFINITY });
      if (statusCode !== 200) throw new Error(`${path} was answered ${statusCode}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, askOn));
}
