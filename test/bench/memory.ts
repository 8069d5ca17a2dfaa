/**
 * What a server's memory comes to under a day's mix: `node test/bench/memory.ts --seconds 600 --rate 77`. Prints a line
 * every ten seconds. What is left to V8 and malloc is judged by looking at it in time, so this is no test.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Mix } from '../helpers/mix.ts';
import { residentBytes } from '../helpers/resident.ts';
import { beginRun, removeLeftovers } from '../runner/own-run.ts';
import { type Running, startServer } from './server.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const REPORT = new URL('report-memory.ts', import.meta.url).href;
const MIB = 2 ** 20;
/** Requests at once, so that a machine that is too slow for the rate does not gather them without end. */
const MOST_AT_ONCE = 24;
const EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string', default: '77' },
    name: { type: 'string', default: 'memory' },
    /** Options of node for the server, to try them. */
    node: { type: 'string', multiple: true, default: [] },
  },
});

async function main(): Promise<void> {
  await removeLeftovers();
  const dataDir = join(ROOT, 'build/bench', values.name);
  await rm(dataDir, { recursive: true, force: true });
  const report = join(dataDir, 'memory.json');
  process.env['BENCH_MEMORY_FILE'] = report;
  const flags = [`--import=${REPORT}`, ...values.node];
  const server = await startServer({ name: 'bench-1', dataDir, flags });
  const mix = new Mix(server.url);
  try {
    await drive(mix, server, report);
  } finally {
    mix.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
  for (const [what, times] of mix.tally.surprises) print(`${times} times: ${what}`);
}

async function drive(mix: Mix, server: Running, report: string): Promise<void> {
  const rate = Number(values.rate);
  const start = performance.now();
  const end = start + Number(values.seconds) * 1000;
  const under = new Set<Promise<void>>();
  let said = start;
  let requests = 0;
  const cpu = await cpuSeconds(server.pid);
  print('    s  req/s  images     RSS    peak  heapUsed  heapTotal  external  arrayBuffers  anonymous');
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
      await tell(
        server,
        report,
        (said - start) / 1000 + seconds,
        (mix.tally.requests - requests) / seconds,
        mix.images,
      );
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

async function tell(server: Running, report: string, at: number, rate: number, images: number): Promise<void> {
  const { now, peak } = await residentBytes(server.pid);
  const own = JSON.parse(await readFile(report, 'utf8').catch(() => '{}')) as Record<string, number>;
  const rollup = await readFile(`/proc/${server.pid}/smaps_rollup`, 'utf8');
  const anonymous = Number(/^Anonymous:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
  const mib = (bytes: number | undefined, width: number): string =>
    String(Math.round((bytes ?? 0) / MIB)).padStart(width);
  print(
    `${at.toFixed(0).padStart(5)} ${rate.toFixed(1).padStart(6)} ${String(images).padStart(7)} ${mib(now, 7)} ${mib(peak, 7)} ${mib(own['heapUsed'], 9)} ${mib(own['heapTotal'], 10)} ${mib(own['external'], 9)} ${mib(own['arrayBuffers'], 13)} ${mib(anonymous, 10)}`,
  );
}

/** Of all threads, user and system. */
async function cpuSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const own = beginRun();
Object.assign(process.env, own.env);
await main().finally(() => own.end());
process.exit();
