/**
 * What a server's memory comes to under a day's mix: `BENCH=memory` of `make bench`, or, with a line every ten seconds,
 * `node test/bench/memory.ts --seconds 600 --rate 77`.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Mix } from '../helpers/mix.ts';
import { residentBytes } from '../helpers/resident.ts';
import { abortWhenInterrupted, beginRun, removeLeftovers } from '../runner/own-run.ts';
import { cpuSeconds } from './cpu.ts';
import { MIX_SECONDS } from './extent.ts';
import type { Plan as BenchPlan, Results } from './measure.ts';
import { type Running, startServer } from './server.ts';

const REPORT = new URL('report-memory.ts', import.meta.url).href;
const MIB = 2 ** 20;
const LIMIT = 300e6 / MIB;
/** Requests at once, so that a machine that is too slow for the rate does not gather them without end. */
const MOST_AT_ONCE = 24;
const EVERY_MS = 10_000;
const RATE = 77;

const COLUMNS = [
  '    s',
  ' req/s',
  'images',
  ' RSS',
  'peak',
  'heapUsed',
  'heapTotal',
  'external',
  'arrayBuffers',
  'anonymous',
];
const WIDTHS = COLUMNS.map(({ length }) => length);

interface Plan {
  readonly dataDir: string;
  readonly seconds: number;
  /** Requests per second. */
  readonly rate: number;
  /** Options of node for the server, to try them. */
  readonly flags: readonly string[];
  readonly print: (line: string) => void;
}

/** The most that was resident, in MiB. */
export async function* benchMemory({ directory, profile }: BenchPlan): Results {
  const flags = profile ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const ours = await mostResident({
    dataDir: join(directory, 'memory'),
    seconds: MIX_SECONDS,
    rate: RATE,
    flags,
    print: () => {},
  });
  const name = `memory at ${RATE} requests/s`;
  const compared = { against: '', theirs: LIMIT, unit: 'MiB', ratio: ours / LIMIT, target: LIMIT };
  yield { name, ours, ...compared, kind: 'limit', runs: 1 };
}

async function mostResident(plan: Plan): Promise<number> {
  const { dataDir, flags, print } = plan;
  await rm(dataDir, { recursive: true, force: true });
  const report = join(dataDir, 'memory.json');
  process.env['BENCH_MEMORY_FILE'] = report;
  const server = await startServer({ name: 'bench-1', dataDir, flags: [`--import=${REPORT}`, ...flags] });
  const mix = new Mix(server.url);
  try {
    await drive(plan, mix, server, report);
    for (const [what, times] of mix.tally.surprises) print(`${times} times: ${what}`);
    return (await residentBytes(server.pid)).peak / MIB;
  } finally {
    mix.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function drive({ seconds: length, rate, print }: Plan, mix: Mix, server: Running, report: string): Promise<void> {
  const start = performance.now();
  const end = start + length * 1000;
  const under = new Set<Promise<void>>();
  let said = start;
  let requests = 0;
  const cpu = await cpuSeconds(server.pid);
  print(COLUMNS.join(' '));
  while (performance.now() < end) {
    const due = ((performance.now() - start) / 1000) * rate;
    if (mix.tally.requests < due && under.size < MOST_AT_ONCE) {
      const step: Promise<void> = mix.step().finally(() => under.delete(step));
      under.add(step);
    } else if (under.size >= MOST_AT_ONCE) {
      await Promise.race(under);
    } else {
      await sleep(5);
    }
    if (performance.now() - said >= EVERY_MS) {
      const seconds = (performance.now() - said) / 1000;
      const served = (mix.tally.requests - requests) / seconds;
      print(await line(server, report, (performance.now() - start) / 1000, served, mix.images));
      said = performance.now();
      requests = mix.tally.requests;
    }
  }
  await Promise.all(under);
  const seconds = (performance.now() - start) / 1000;
  const spent = (await cpuSeconds(server.pid)) - cpu;
  const each = (spent / mix.tally.requests) * 1e3;
  print(`${mix.tally.requests} requests in ${seconds.toFixed(0)} s, ${each.toFixed(2)} ms of CPU each`);
}

async function line(server: Running, report: string, at: number, rate: number, images: number): Promise<string> {
  const { now, peak } = await residentBytes(server.pid);
  const own = JSON.parse(await readFile(report, 'utf8').catch(() => '{}')) as Record<string, number>;
  const rollup = await readFile(`/proc/${server.pid}/smaps_rollup`, 'utf8');
  const anonymous = Number(/^Anonymous:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
  const bytes = [now, peak, own['heapUsed'], own['heapTotal'], own['external'], own['arrayBuffers'], anonymous];
  const cells = [at.toFixed(0), rate.toFixed(1), images, ...bytes.map((value) => Math.round((value ?? 0) / MIB))];
  return cells.map((cell, column) => String(cell).padStart(WIDTHS[column] ?? 0)).join(' ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      rate: { type: 'string', default: String(RATE) },
      name: { type: 'string', default: 'memory' },
      node: { type: 'string', multiple: true, default: [] },
    },
  });
  await removeLeftovers();
  const own = beginRun();
  abortWhenInterrupted([own]);
  Object.assign(process.env, own.env);
  await mostResident({
    dataDir: join(own.folder, values.name),
    seconds: Number(values.seconds),
    rate: Number(values.rate),
    flags: values.node,
    print: (text) => void process.stdout.write(`${text}\n`),
  }).finally(() => own.end());
  // Kept-alive connections would hold the process for a while.
  process.exit();
}

if (import.meta.main) await main();
