/**
 * `make torture`: two linked datacenters of two processes each, clients that do everything at once, and processes, lines and
 * a disk that fail at random. After each round, when all is whole again, an independent model says what must be there.
 * `MINUTES` (3) or `HOURS` say for how long, `SEED` repeats the choices of a run; how they interleave is the machine's.
 */
import { test } from 'tap';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ALICE, BOB } from '../helpers/accounts.ts';
import { link, makeSite, type Site, secondProcess } from '../helpers/cloud.ts';
import { temporaryFolder } from '../helpers/imgapi.ts';
import { assertSound } from '../helpers/invariants.ts';
import { type Random, seeded } from '../helpers/random.ts';
import { smallDisk } from '../helpers/small-disk.ts';
import { type Blows, strike } from './chaos.ts';
import { type Place, type Tally, TortureClient } from './clients.ts';
import { Model } from './model.ts';

const { MINUTES, HOURS, SEED } = process.env;
// The Makefile gives what is not set as an empty text.
const LASTS_MS = (HOURS ? Number(HOURS) * 60 : Number(MINUTES || 3)) * 60_000;
const CLIENTS = 6;
const ROUND_MS = 30_000;
const DISK_MIB = 192;
const MIB = 2 ** 20;

const KEYS = {
  storage: { headroomBytes: 16 * MIB },
  // A copy that cannot be is to be given up within the round.
  copies: { giveUpAfterSeconds: 20 },
  accounts: { cacheSeconds: 60 },
};

test('Torture', async (t) => {
  const seed = Number(SEED || Date.now() % 1_000_000);
  t.comment(`SEED=${seed}`);
  const disk = smallDisk(t, DISK_MIB);
  const east = await makeSite(t, 'us-east', await temporaryFolder(t, 'imgapi-us-east'), KEYS);
  const west = await makeSite(t, 'us-west', disk ?? (await temporaryFolder(t, 'imgapi-us-west')), KEYS);
  const sites = [east, await secondProcess(t, east, KEYS), west, await secondProcess(t, west, KEYS)];
  for (const site of sites) await site.start();
  await link(east, west);
  await link(west, east).catch(() => undefined);
  const places = [placeOf('us-east', sites.slice(0, 2)), placeOf('us-west', sites.slice(2))];
  const model = new Model();
  const clients: TortureClient[] = [];
  const tally: Tally = { acknowledged: 0, refused: new Map(), lost: 0, wrong: [] };
  for (let i = 0; i < CLIENTS; i++) clients.push(new TortureClient(places, model, seeded(seed + 1 + i), tally));
  // One for each datacenter.
  const strikers = [seeded(seed), seeded(~seed)];
  const blows: Blows = { kills: 0, stops: 0, cuts: 0, troubles: 0, fills: 0 };
  const end = Date.now() + LASTS_MS;
  for (let round = 1; Date.now() < end; round++) {
    const over = AbortSignal.timeout(Math.min(ROUND_MS, Math.max(1000, end - Date.now())));
    // The pass over all files goes on meanwhile, and must find nothing.
    for (const site of [east, west]) await site.administer('POST', '/admin/scrub');
    const pairs = [sites.slice(0, 2), sites.slice(2)];
    const strikes = pairs.map((pair, i) =>
      strike(pair, i === 1 ? disk : undefined, strikers[i] ?? seeded(seed), blows, over),
    );
    await Promise.all([...strikes, ...clients.map((client) => client.work(over))]);
    // What was cut off on its way may still come.
    // A name of its own that a store left half made when it was killed goes by its age alone, which is a minute then.
    await assertSound(t, east, { isEager: true });
    await assertSound(t, west, { isEager: true });
    for (const site of [east, west]) {
      t.same(await site.administer('GET', '/admin/findings'), [], `${site.name}: no file is taken for damaged`);
    }
    const still = seeded(round);
    const lies = await model.lies(
      (place, owner) => (place === 'us-east' ? places[0] : places[1])?.client(owner, still) as ImgapiClient,
    );
    t.same(lies, [], 'everything is as it was acknowledged');
    for (const { name, client } of places) {
      for (const owner of [ALICE, BOB]) {
        const listed = new Set(
          (await client(owner, still).listImages({ state: 'all', owner })).map(({ uuid }) => uuid),
        );
        const missing = model.present(name, owner).filter(({ uuid }) => !listed.has(uuid));
        t.same(missing, [], `the list of ${name} is complete`);
      }
    }
    t.same(tally.wrong, [], 'no answer was wrong');
    const refused = [...tally.refused].map(([code, times]) => `${code} ${times}`).join(', ');
    t.comment(
      `round ${round}: ${blows.kills} kills, ${blows.stops} stops, ${blows.cuts} cuts, ${blows.troubles} bad lines, ${blows.fills} full disks; ` +
        `${tally.acknowledged} acknowledged, ${tally.lost} lost, refused: ${refused}; ${model.size} images in the model`,
    );
    tally.wrong.length = 0;
    if (!t.passing()) break;
  }
});

function placeOf(name: string, sites: readonly Site[]): Place {
  const clients = new Map<string, ImgapiClient>();
  return {
    name,
    client(account: string, random: Random) {
      const at = random.below(sites.length);
      const site = sites[at];
      if (!site) throw new Error(`${name} has no processes`);
      if (account === ALICE) return site.alice;
      const key = `${account} ${at}`;
      const client = clients.get(key) ?? site.client(account);
      clients.set(key, client);
      return client;
    },
  };
}
