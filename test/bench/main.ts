/**
 * `make bench`: timings against something that runs beside them, as a table and in build/bench.json. Never a test: a
 * target that is missed is reported with the profile that shows why. `ENGINE=postgres-s3` measures these engines in place
 * of the embedded ones. `BENCH=requests`, `bytes` and so on runs a part; `QUICK=1` makes all of it short, see `extent.ts`.
 * What it writes lies in a folder of its own in `build/bench`, which goes with it, however it ends.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { abortWhenInterrupted, beginRun, removeLeftovers } from '../runner/own-run.ts';
import { QUICK, RUNS } from './extent.ts';
import { GENERATOR } from './load.ts';
import { type Figure, isMet, type Plan, type Results, type Skipped } from './measure.ts';
import { hottest } from './profile.ts';
import { suitesOf } from './suites.ts';
import { HEAD, lineOf } from './table.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const DIRECTORY = join(ROOT, 'build/bench');

async function main(directory: string): Promise<void> {
  const engine = process.env['ENGINE'] || 'embedded';
  const { suites, runs: usual } = suitesOf(engine, process.argv.slice(2));
  const runs = RUNS ?? usual;
  const begin = performance.now();
  const results: (Figure | Skipped)[] = [];
  const profiles: Record<string, string[]> = {};
  print(
    `${engine}: ${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}, ${GENERATOR}${QUICK ? ', QUICK' : ''}\n`,
  );
  print(HEAD);
  const seconds: Record<string, number> = {};
  for (const [name, suite] of suites) {
    const suiteBegin = performance.now();
    try {
      let isMissed = false;
      for await (const figure of suite({ directory, runs })) {
        print(lineOf(figure));
        results.push(figure);
        isMissed ||= !('skipped' in figure || isMet(figure));
      }
      if (isMissed && !QUICK) profiles[name] = await profileOf(directory, name, suite);
    } catch (error) {
      // What the others measure is worth having.
      print(`"${name}" broke off: ${inspect(error)}`);
      process.exitCode = 1;
    }
    seconds[name] = Math.round((performance.now() - suiteBegin) / 1000);
  }
  for (const [name, lines] of Object.entries(profiles)) {
    print(`\nA target of "${name}" was missed. Where its servers spent their time:\n${lines.join('\n')}`);
  }
  const each = Object.entries(seconds).map(([name, took]) => `${name} ${took} s`);
  print(`\n${((performance.now() - begin) / 60_000).toFixed(1)} minutes: ${each.join(', ')}`);
  await writeFile(
    join(ROOT, 'build/bench.json'),
    `${JSON.stringify({ at: new Date(), engine, results, seconds, profiles }, null, 2)}\n`,
  );
}

/** Once more with the profiler on; the figures of such a run do not count. */
async function profileOf(directory: string, name: string, suite: (plan: Plan) => Results): Promise<string[]> {
  const profile = join(directory, `profile-${name}`);
  await rm(profile, { recursive: true, force: true });
  await mkdir(profile, { recursive: true });
  const figures = suite({ directory, runs: 1, profile });
  while (!(await figures.next()).done);
  return hottest(profile);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

await mkdir(DIRECTORY, { recursive: true });
for (const directory of [undefined, DIRECTORY]) await removeLeftovers(directory);
const own = beginRun();
const kept = beginRun(DIRECTORY);
abortWhenInterrupted([own, kept]);
Object.assign(process.env, own.env);
try {
  await main(kept.folder);
} finally {
  for (const run of [own, kept]) run.end();
}
// Kept-alive connections of clients would hold the process for a while.
process.exit();
