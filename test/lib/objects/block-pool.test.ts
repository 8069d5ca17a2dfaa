/** Who gets the memory for parts when more sessions want it than there are blocks. */
import tap, { type Test, test } from 'tap';
import { type BlockHolder, BlockPool } from '#lib/objects/block-pool.ts';
import { waitFor } from '../../helpers/wait.ts';

const PATIENCE_MS = 2;

// The pool's timer keeps no process alive.
const alive = setInterval(() => undefined, 1000);
tap.teardown(() => clearInterval(alive));

interface Waiting {
  /** How often one of them had to give its block up. */
  readonly parked: () => number;
  end(): void;
}

/** Sessions that take a block, put nothing into it, and want it again as soon as they had to give it up. */
function wait(t: Test, pool: BlockPool, count: number): Waiting {
  let parked = 0;
  let isOver = false;
  const begin = (): void => {
    let block: Uint8Array | undefined;
    let waitingSince: number | undefined;
    const load = async (): Promise<void> => {
      const taken = await pool.take(holder);
      if (isOver) return pool.give(taken);
      block = taken;
      waitingSince = performance.now();
    };
    const drop = (): void => {
      const given = block;
      block = undefined;
      waitingSince = undefined;
      if (given) pool.give(given);
    };
    const holder: BlockHolder & { readonly drop: () => void } = {
      get waitingSince() {
        return waitingSince;
      },
      async park() {
        parked += 1;
        drop();
        load().catch((error: unknown) => t.fail(String(error)));
      },
      drop,
    };
    pool.join(holder);
    holders.push(holder);
    load().catch((error: unknown) => t.fail(String(error)));
  };
  const holders: { readonly drop: () => void }[] = [];
  for (let left = count; left > 0; left -= 1) begin();
  return {
    parked: () => parked,
    end() {
      isOver = true;
      for (const { drop } of holders) drop();
    },
  };
}

/** Fills blocks, one after the other. */
async function fill(pool: BlockPool, blocks: number): Promise<void> {
  const holder = { waitingSince: undefined, park: async () => undefined };
  pool.join(holder);
  for (let left = blocks; left > 0; left -= 1) {
    const block = await pool.take(holder);
    pool.filled(holder);
    pool.give(block);
  }
  pool.leave(holder);
}

for (const blocks of [1, 4, 5]) {
  test(`whoever fills blocks does not stand in line for each behind all who do not, with ${blocks} of them`, async (t) => {
    const pool = new BlockPool(1000, blocks * 1000, PATIENCE_MS);
    const COUNT = 40;
    const waiting = wait(t, pool, COUNT);
    await fill(pool, 20);
    t.ok(waiting.parked() <= 3 * COUNT, `${waiting.parked()} had to give theirs up meanwhile`);
    const before = waiting.parked();
    await fill(pool, 1);
    t.ok(waiting.parked() <= before + 2, 'nor does another that comes');
    waiting.end();
    await waitFor('all blocks to be given back', () => pool.used === 0);
    pool.close();
  });
}

test('those who fill no blocks get theirs while others fill many', async (t) => {
  const pool = new BlockPool(1000, 4000, PATIENCE_MS);
  const waiting = wait(t, pool, 8);
  let isOver = false;
  const filling = (async () => {
    while (!isOver) {
      await fill(pool, 1);
      await new Promise(setImmediate);
    }
  })();
  // Each of them several times.
  while (waiting.parked() < 40) await new Promise(setImmediate);
  isOver = true;
  waiting.end();
  await filling;
  await waitFor('all blocks to be given back', () => pool.used === 0);
  pool.close();
});
