/**
 * `make torture`: two linked datacenters of two processes each, clients that do everything at once, and processes, lines,
 * a disk and shared servers that fail at random. After each round, when all is whole again, an independent model says what
 * must be there. `MINUTES` (3), `HOURS` or `KILLS` say for how long, `ENGINE` on what, and `SEED` repeats the choices of a
 * run; how they interleave is the machine's.
 */
import { type Test, test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { terrainNamed } from '../engines/grounds.ts';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { link, MiB, makeSite, type Site, secondProcess } from '../helpers/cloud.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { assertSound, settled } from '../helpers/invariants.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { type Blows, type Common, strike } from './chaos.ts';
import { work } from './clients.ts';
import { Contents } from './contents.ts';
import { Model } from './model.ts';
import { Notebook, type Place, type Run, type Tally } from './notebook.ts';
import { crowd, limitImages, quotaLies } from './quota.ts';
import { giveUp } from './uploading.ts';

const { MINUTES, HOURS, KILLS, SEED, ENGINE } = process.env;
// The Makefile gives what is not set as an empty text.
const LASTS_MS = (HOURS ? Number(HOURS) * 60 : Number(MINUTES || (KILLS ? 600 : 3))) * 60_000;
const MOST_KILLS = Number(KILLS || Number.POSITIVE_INFINITY);
const CLIENTS = 6;
/** A round lasts so long, and on a machine that has more to do than it can until there were so many kills. */
const ROUND_MS = 30_000;
const ROUND_KILLS = 20;
const LONGEST_ROUND_MS = 300_000;
/** A run goes on after a finding, as long as what it found does not fill the next rounds as well. */
const MOST_BAD_ROUNDS = 5;
/** The other process is whole again, but may have to be reached anew. */
const TRIES_OF_GIVING_UP = 3;
const DISK_MIB = 768;
const NAMES = ['us-east', 'us-west'] as const;

const KEYS = {
  storage: { headroomBytes: 16 * MiB },
  // A copy that cannot be is to be given up within the round.
  copies: { giveUpAfterSeconds: 20 },
  accounts: { cacheSeconds: 60 },
  images: { keepDeletedSeconds: 60 },
  links: { acceptOrders: Object.fromEntries(NAMES.map((name) => [name, { bytesPerDay: 2 ** 40 }])) },
};

/**
 * A large file is long enough under way to be hit, and comes to one of the datacenters in pieces, to the other one as one stream
 * once the first pieces are there.
 */
const RATES = {
  'us-east': { bandwidth: { 'us-west': 12 * MiB }, oneStreamRate: 4 * MiB },
  'us-west': { bandwidth: { 'us-east': 12 * MiB } },
};

interface Datacenter {
  readonly sites: readonly [Site, Site];
  readonly place: Place;
  readonly common: Common;
}

test('Torture', async (t) => {
  const seed = Number(SEED || Date.now() % 1_000_000);
  const terrain = terrainNamed(ENGINE || 'sqlite');
  t.comment(`SEED=${seed}, ${terrain.name}`);
  const absent = terrain.absent?.();
  if (absent !== undefined) throw new Error(`${terrain.name}: ${absent}`);
  const datacenters: Datacenter[] = [];
  const tally: Tally = { acknowledged: 0, refused: new Map(), done: new Map(), lost: 0, wrong: [] };
  for (const name of NAMES) datacenters.push(await startDatacenter(t, name, terrain, tally));
  const [east, west] = datacenters as [Datacenter, Datacenter];
  await link(east.sites[0], west.sites[0]);
  await link(west.sites[0], east.sites[0]).catch(() => undefined);
  const places = datacenters.map(({ place }) => place);
  const model = new Model();
  const run: Run = { places, model, contents: new Contents(), tally };
  const books = Array.from({ length: CLIENTS }, (_, i) => new Notebook(run, seeded(seed + 1 + i)));
  const crowded = new Notebook(run, seeded(seed - 1));
  for (const { sites } of datacenters) await limitImages(sites[0].operator);
  const strikers = datacenters.map((one, i) => ({ ...one, random: seeded(seed ^ (1000 * (i + 1))) }));
  const blows: Blows = {
    kills: 0,
    pieces: 0,
    resumed: 0,
    lateMd5s: 0,
    stops: 0,
    cuts: 0,
    troubles: 0,
    fills: 0,
    crashes: 0,
  };
  const end = Date.now() + LASTS_MS;
  let bad = 0;
  for (let round = 1; Date.now() < end && blows.kills < MOST_KILLS && bad < MOST_BAD_ROUNDS; round++) {
    const over = roundOf(blows, Math.max(1000, end - Date.now()));
    const began = Date.now();
    // The pass over all files goes on meanwhile, and must find nothing.
    for (const { sites } of datacenters) await sites[0].administer('POST', '/admin/scrub');
    await Promise.all([
      ...strikers.map(({ sites, random, common }) => strike(sites, common, random, blows, over)),
      ...books.map((book) => work(book, over)),
      crowd(crowded, over),
    ]);
    for (const book of books) await giveUpAll(book);
    const struck = Date.now();
    const checked = await t.test(`round ${round}`, async (t) => {
      await check(t, datacenters, new Notebook(run, seeded(round)), tally);
    });
    if (!checked?.ok) bad += 1;
    const seconds = [struck - began, Date.now() - struck].map((ms) => Math.round(ms / 1000)).join(' + ');
    t.comment(`round ${round}, ${seconds} s: ${summary(blows, tally)}; ${model.size} images in the model`);
    if (bad > 0) t.comment(`${bad} of ${round} rounds found something`);
  }
  t.comment(`answered: ${counted(tally.done)}`);
});

/** All that must be true when all is whole again. Each look is made, whatever another one has found. */
async function check(t: Test, datacenters: readonly Datacenter[], book: Notebook, tally: Tally): Promise<void> {
  const { model, places } = book;
  t.same(await settled(() => fanOutsUnderWay(book)), [], 'the fan-outs end');
  await Promise.all(
    datacenters.map(async ({ sites: [site] }) => {
      // What a store on another host left half made when its process was killed goes by its age alone, which is a minute then.
      await assertSound(t, site, { isEager: true });
      t.same(await site.administer('GET', '/admin/findings'), [], `${site.name}: no file is taken for damaged`);
    }),
  );
  t.same(await quotaLies(places, book), [], 'quotas are kept');
  t.same(await model.lies((place, owner) => book.client(place, owner)), [], 'everything is as it was acknowledged');
  for (const { name } of places) {
    for (const owner of [ALICE, BOB]) {
      const all = await book.client(name, owner).listImages({ state: 'all', owner });
      const listed = new Set(all.map(({ uuid }) => uuid));
      const missing = model.present(name, owner).filter(({ uuid }) => !listed.has(uuid));
      t.same(missing, [], `the list of ${name} is complete`);
    }
  }
  t.same(tally.wrong.splice(0), [], 'no answer was wrong');
}

/** The uploads that nobody goes on with. */
async function giveUpAll(book: Notebook): Promise<void> {
  for (const entry of book.own) await book.insist(() => giveUp(book, entry), TRIES_OF_GIVING_UP);
}

/** Aborts when a round is over. */
function roundOf(blows: Blows, leftMs: number): AbortSignal {
  const round = new AbortController();
  const [began, before] = [Date.now(), blows.kills];
  const look = setInterval(() => {
    const lasted = Date.now() - began;
    const isStruck = blows.kills - before >= ROUND_KILLS || blows.kills >= MOST_KILLS;
    if (lasted < Math.min(leftMs, isStruck ? ROUND_MS : LONGEST_ROUND_MS)) return;
    clearInterval(look);
    round.abort();
  }, 100);
  return round.signal;
}

async function startDatacenter(
  t: Test,
  name: (typeof NAMES)[number],
  terrain: ReturnType<typeof terrainNamed>,
  tally: Tally,
): Promise<Datacenter> {
  const ground = await terrain.make?.(t);
  const disk = ground || name !== NAMES[1] ? undefined : smallDisk(t, DISK_MIB);
  const keys = { ...KEYS, copies: { ...KEYS.copies, ...RATES[name] } };
  const first = await makeSite(t, name, disk ?? (await temporaryFolder(t, `imgapi-${name}`)), keys, ground);
  const sites = [first, await secondProcess(t, first, keys)] as const;
  for (const site of sites) await site.start();
  return { sites, place: placeOf(name, sites), common: { disk, ground, answers: () => tally.acknowledged } };
}

/** An image that is to be shown in all datacenters together is hidden until then. */
async function fanOutsUnderWay(book: Notebook): Promise<string[]> {
  const found = await Promise.all(
    book.places.map(({ name }) => book.client(name).listFanOuts({ account: ALICE, limit: 1000 })),
  );
  return found.flat().flatMap(({ uuid, state }) => (state === 'running' ? [`fan-out ${uuid}`] : []));
}

function summary(blows: Blows, { acknowledged, lost, refused }: Tally): string {
  const { kills, pieces, resumed, lateMd5s, stops, cuts, troubles, fills, crashes } = blows;
  return (
    `${kills} kills (of ${pieces} copies in pieces, ${resumed} of them resumed, with ${lateMd5s} MD5s to come), ${stops} stops, ${cuts} cuts, ${troubles} bad lines, ${fills} full disks, ${crashes} crashes of servers; ` +
    `${acknowledged} acknowledged, ${lost} lost, refused: ${counted(refused)}`
  );
}

function counted(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([what, times]) => `${what} ${times}`).join(', ');
}

function placeOf(name: string, sites: readonly Site[]): Place {
  const clients = new Map<string, ImgapiClient>();
  return {
    name,
    client(account: string | undefined, random: Random) {
      const at = random.below(sites.length);
      const site = sites[at];
      if (!site) throw new Error(`${name} has no processes`);
      if (account === undefined) return site.operator;
      if (account === ALICE) return site.alice;
      const key = `${account} ${at}`;
      const client = clients.get(key) ?? site.client(account);
      clients.set(key, client);
      return client;
    },
    url: (random) => random.pick(sites).front.url,
  };
}
