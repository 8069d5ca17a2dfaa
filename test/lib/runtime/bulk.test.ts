/** Whoever has bytes to move takes turns with the others, and with everything else. */
import { setImmediate as round } from 'node:timers/promises';
import { test } from 'tap';
import { turnForBytes } from '#lib/runtime/bulk.ts';

const STREAMS = 12;
const PIECES = 20;
/** Milliseconds. */
const PIECE = 1;
/** Those of two milliseconds, and one that began before they were over. */
const MOST_OF_A_ROUND = 3;

test('streams that always have bytes do little in each round of the loop, and none does more than the others', async (t) => {
  const done = Array.from({ length: STREAMS }, () => 0);
  let inRound = 0;
  let most = 0;
  let widest = 0;
  let isOver = false;
  const stream = async (at: number): Promise<void> => {
    for (let piece = 0; piece < PIECES; piece += 1) {
      const turn = turnForBytes();
      if (turn !== undefined) await turn;
      for (const end = performance.now() + PIECE; performance.now() < end; );
      // As what is read from a stream comes.
      await Promise.resolve();
      inRound += 1;
      most = Math.max(most, inRound);
      done[at] = piece + 1;
      widest = Math.max(widest, Math.max(...done) - Math.min(...done));
    }
  };
  const rounds = (async () => {
    while (!isOver) {
      await round();
      inRound = 0;
    }
  })();
  await Promise.all(Array.from(done, (_, at) => stream(at)));
  isOver = true;
  await rounds;
  t.ok(most <= MOST_OF_A_ROUND, `${most} pieces of ${PIECE} ms in one round`);
  // One may have begun in the round in which nobody had to wait yet.
  t.ok(widest <= MOST_OF_A_ROUND, `one was ${widest} pieces ahead of another`);
});
