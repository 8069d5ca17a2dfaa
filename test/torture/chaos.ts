/** What happens to processes, lines and disks, at random but repeatably. */
import type { Site } from '../helpers/cloud.ts';
import type { Random } from '../helpers/random.ts';
import { fill } from '../helpers/small-disk.ts';
import type { Trouble } from '../helpers/tcp-proxy.ts';

export interface Blows {
  kills: number;
  stops: number;
  cuts: number;
  troubles: number;
  fills: number;
}

const TROUBLES: readonly Trouble[] = [
  { kind: 'slow', bytesPerSecond: 50_000 },
  { kind: 'stall', after: 20_000 },
  { kind: 'silent' },
  { kind: 'refuse' },
  { kind: 'cut', after: 100_000 },
];

/** Strikes until the signal aborts; then everything runs, and all lines and disks are whole. @param disk the one that is filled */
export async function strike(
  sites: readonly Site[],
  disk: string | undefined,
  random: Random,
  blows: Blows,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await wait(random, 300, 1500);
    const site = random.pick(sites);
    const dice = random.below(100);
    if (dice < 40) {
      blows.kills += 1;
      await site.kill();
      await wait(random, 0, 800);
      await site.start();
    } else if (dice < 60) {
      blows.stops += 1;
      await site.pause();
      await wait(random, 100, 3000);
      site.resume();
    } else if (dice < 78) {
      blows.cuts += 1;
      site.front.cutAll();
      site.network.cutAll();
    } else if (dice < 92) {
      blows.troubles += 1;
      const line = random.chance(0.5) ? site.network : site.front;
      line.trouble = random.pick(TROUBLES);
      await wait(random, 500, 3000);
      line.trouble = { kind: 'none' };
      line.cutAll();
    } else if (disk !== undefined) {
      blows.fills += 1;
      const empty = fill(disk);
      await wait(random, 300, 2000);
      empty();
    }
  }
}

function wait(random: Random, least: number, most: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, least + random.below(most - least)));
}
