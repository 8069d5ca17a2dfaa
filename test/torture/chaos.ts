/** What happens to processes, lines, disks and shared servers, at random but repeatably. */
import type { Ground, Shared } from '../engines/grounds.ts';
import { bounded, type Site } from '../helpers/cloud.ts';
import type { Random } from '../helpers/random.ts';
import { fill } from '../helpers/small-disk.ts';
import type { Trouble } from '../helpers/tcp-proxy.ts';
import { underWay } from './under-way.ts';

export interface Blows {
  kills: number;
  /** What the killed processes had under way: see `under-way.ts`. */
  pieces: number;
  resumed: number;
  lateMd5s: number;
  stops: number;
  cuts: number;
  troubles: number;
  fills: number;
  /** Of databases and object stores that processes share. */
  crashes: number;
}

/** What the processes of a datacenter have in common. */
export interface Common {
  /** The disk that is filled. */
  readonly disk?: string | undefined;
  readonly ground?: Ground | undefined;
  /** How many its clients have had. */
  readonly answers: () => number;
}

const TROUBLES: readonly Trouble[] = [
  { kind: 'slow', bytesPerSecond: 50_000 },
  { kind: 'stall', after: 20_000 },
  { kind: 'silent' },
  { kind: 'refuse' },
  { kind: 'cut', after: 100_000 },
];

/** A process starts again while a disk is full or a server away: then it may have to be tried again. */
const STARTS_MS = 600_000;

/** Between two blows clients get so many answers, at most, as long as these come in time. */
const MOST_ANSWERS = 30;
const ANSWERS_MS = 3000;

/** Strikes the processes of a datacenter until the signal aborts; then they run, and all their lines, disks and servers are whole. */
export async function strike(
  sites: readonly Site[],
  { disk, ground, answers }: Common,
  random: Random,
  blows: Blows,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await wait(random, 50, 300);
    await answered(answers, random.below(MOST_ANSWERS), signal);
    const site = random.pick(sites);
    const dice = random.below(100);
    if (dice < 60) {
      const killed = random.chance(0.2) ? sites : [site];
      const hit = await underWay(killed);
      blows.kills += killed.length;
      for (const what of ['pieces', 'resumed', 'lateMd5s'] as const) blows[what] += hit[what];
      await Promise.all(killed.map((one) => one.kill()));
      await wait(random, 0, 300);
      await Promise.all(killed.map(startAgain));
    } else if (dice < 74) {
      blows.stops += 1;
      await site.pause();
      await wait(random, 100, 2000);
      site.resume();
    } else if (dice < 86) {
      blows.cuts += 1;
      for (const line of linesOf(site)) line.cutAll();
    } else if (dice < 94) {
      blows.troubles += 1;
      const line = random.pick(linesOf(site));
      line.trouble = random.pick(TROUBLES);
      await wait(random, 300, 2000);
      line.trouble = { kind: 'none' };
      line.cutAll();
    } else if (ground) {
      await crash(random.pick([ground.documents, ground.objects]), random, blows);
    } else if (disk !== undefined) {
      blows.fills += 1;
      const empty = fill(disk);
      await wait(random, 300, 1500);
      empty();
    }
  }
}

async function answered(answers: () => number, more: number, signal: AbortSignal): Promise<void> {
  const wanted = answers() + more;
  const end = Date.now() + ANSWERS_MS;
  while (answers() < wanted && Date.now() < end && !signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function linesOf(site: Site): Site['front'][] {
  const { front, network, ground } = site;
  return ground ? [front, network, site.wires.documents, site.wires.objects] : [front, network];
}

async function startAgain(site: Site): Promise<void> {
  const end = Date.now() + STARTS_MS;
  for (;;) {
    try {
      return await bounded(site.start(), `${site.name} to start`, STARTS_MS);
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Datacenters may share a server: one crash after the other. */
let crashes: Promise<unknown> = Promise.resolve();

function crash(server: Shared, random: Random, blows: Blows): Promise<void> {
  const next = crashes.then(async () => {
    blows.crashes += 1;
    await server.stop();
    await wait(random, 100, 1000);
    await server.start();
  });
  crashes = next;
  return next;
}

function wait(random: Random, least: number, most: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, least + random.below(most - least)));
}
