/**
 * `make bench`: timings against something that runs beside them, as a table and in build/bench.json. Never a test: a
 * target that is missed is reported with the profile that shows why. `BENCH=requests`, `bytes` or `memory` runs a part;
 * `BENCH_RUNS`, `BENCH_MIB` and `BENCH_SECONDS` make it shorter.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { beginRun, removeLeftovers } from '../runner/own-run.ts';
import { benchBytes } from './bytes.ts';
import { type Figure, isMet, type Skipped } from './measure.ts';
import { benchMemory } from './memory.ts';
import { hottest } from './profile.ts';
import { benchRequests } from './requests.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const DIRECTORY = join(ROOT, 'build/bench');

const SUITES: Readonly<Record<string, (directory: string, profile?: string) => Promise<(Figure | Skipped)[]>>> = {
  requests: benchRequests,
  bytes: benchBytes,
  memory: benchMemory,
};

async function main(): Promise<void> {
  await removeLeftovers();
  const chosen = process.argv.slice(2);
  const names = chosen.length > 0 ? chosen : Object.keys(SUITES);
  await mkdir(DIRECTORY, { recursive: true });
  const results: (Figure | Skipped)[] = [];
  const profiles: Record<string, string[]> = {};
  print(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}, Node ${process.version}\n`);
  print(row(['', 'ours', 'beside it', 'ratio', 'target', '']));
  for (const name of names) {
    const suite = SUITES[name];
    if (!suite) throw new Error(`there is no benchmark "${name}"; there are ${Object.keys(SUITES).join(', ')}`);
    const figures = await suite(DIRECTORY);
    for (const figure of figures) print(describe(figure));
    results.push(...figures);
    if (figures.some((figure) => !('skipped' in figure) && !isMet(figure)))
      profiles[name] = await profileOf(name, suite);
  }
  for (const [name, lines] of Object.entries(profiles)) {
    print(`\nA target of "${name}" was missed. Where its servers spent their time:\n${lines.join('\n')}`);
  }
  await writeFile(
    join(ROOT, 'build/bench.json'),
    `${JSON.stringify({ at: new Date(), results, profiles }, null, 2)}\n`,
  );
}

/** Once more with the profiler on; the figures of such a run do not count. */
async function profileOf(
  name: string,
  suite: (directory: string, profile?: string) => Promise<unknown>,
): Promise<string[]> {
  const directory = join(DIRECTORY, `profile-${name}`);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await suite(DIRECTORY, directory);
  return hottest(directory);
}

function describe(figure: Figure | Skipped): string {
  if ('skipped' in figure) return row([figure.name, '', '', '', '', `skipped: ${figure.skipped}`]);
  const isRatio = figure.kind === 'ratio';
  return row([
    figure.name,
    `${figure.ours.toFixed(0)} ${figure.unit}`,
    isRatio ? `${figure.theirs.toFixed(0)} (${figure.against})` : '',
    isRatio ? figure.ratio.toFixed(2) : '',
    isRatio ? `>= ${figure.target}` : `<= ${figure.target.toFixed(0)}`,
    isMet(figure) ? 'met' : 'MISSED',
  ]);
}

function row(cells: readonly string[]): string {
  const widths = [32, 22, 40, 7, 9, 8];
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' ')
    .trimEnd();
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const own = beginRun();
Object.assign(process.env, own.env);
await main().finally(() => own.end());
// Kept-alive connections of clients would hold the process for a while.
process.exit();
