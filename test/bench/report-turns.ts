/**
 * Loaded into a server by `--import`: the first SIGUSR2 begins to measure the longest turn of its event loop, the next one
 * ends that and leaves the answer in a file. See turns.ts.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { type TurnWatch, watchTurns } from '../helpers/longest-turn.ts';

const file = process.env['BENCH_TURNS_FILE'];
if (file !== undefined) {
  let watch: TurnWatch | undefined;
  process.on('SIGUSR2', () => {
    const told = watch ? String(watch.end()) : 'watching';
    watch = watch ? undefined : watchTurns();
    writeFileSync(`${file}~`, told);
    renameSync(`${file}~`, file);
  });
}
