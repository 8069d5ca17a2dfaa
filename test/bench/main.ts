/**
 * `make bench`: timings against something that runs beside them, as a table and in build/bench.json. Never a test: a
 * target that is missed is reported with the profile that shows why. `ENGINE=postgres-s3` measures these engines in place
 * of the embedded ones. `BENCH=requests`, `bytes` and so on runs a part; `BENCH_RUNS`, `BENCH_MIB`, `BENCH_SECONDS` and
 * `BENCH_IMAGES` make it shorter.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beginRun, removeLeftovers } from '../runner/own-run.ts';
import { GENERATOR } from './load.ts';
import { type Figure, isMet, type Plan, type Results, type Skipped } from './measure.ts';
import { hottest } from './profile.ts';
import { suitesOf } from './suites.ts';
import { HEAD, lineOf } from './table.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const DIRECTORY = join(ROOT, 'build/bench');

async function main(): Promise<void> {
  await removeLeftovers();
  const engine = process.env['ENGINE'] || 'embedded';
  const { suites, runs: usual } = suitesOf(engine, process.argv.slice(2));
  const runs = Number(process.env['BENCH_RUNS'] ?? usual);
  const begin = performance.now();
  await mkdir(DIRECTORY, { recursive: true });
  const results: (Figure | Skipped)[] = [];
  const profiles: Record<string, string[]> = {};
  print(`${engine}: ${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}, ${GENERATOR}\n`);
  print(HEAD);
  for (const [name, suite] of suites) {
    try {
      let isMissed = false;
      for await (const figure of suite({ directory: DIRECTORY, runs })) {
        print(lineOf(figure));
        results.push(figure);
        isMissed ||= !('skipped' in figure || isMet(figure));
      }
      if (isMissed) profiles[name] = await profileOf(name, suite);
    } catch (error) {
      // What the others measure is worth having.
      print(`"${name}" broke off: ${inspect(error)}`);
      process.exitCode = 1;
    }
  }
  for (const [name, lines] of Object.entries(profiles)) {
    print(`\nA target of "${name}" was missed. Where its servers spent their time:\n${lines.join('\n')}`);
  }
  print(`\n${((performance.now() - begin) / 60_000).toFixed(1)} minutes`);
  await writeFile(
    join(ROOT, 'build/bench.json'),
    `${JSON.stringify({ at: new Date(), engine, results, profiles }, null, 2)}\n`,
  );
}

/** Once more with the profiler on; the figures of such a run do not count. */
async function profileOf(name: string, suite: (plan: Plan) => Results): Promise<string[]> {
  const profile = join(DIRECTORY, `profile-${name}`);
  await rm(profile, { recursive: true, force: true });
  await mkdir(profile, { recursive: true });
  const figures = suite({ directory: DIRECTORY, runs: 1, profile });
  while (!(await figures.next()).done);
  return hottest(profile);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const own = beginRun();
Object.assign(process.env, own.env);
await main().finally(() => own.end());
// Kept-alive connections of clients would hold the process for a while.
process.exit();
