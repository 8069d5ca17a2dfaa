/**
 * Runs test files, each in a process of its own, and gives their TAP as one text, in the order in which they end. tap's own
 * command would load a hook for coverage into each of them, and into every process that they start, by which each
 * module takes a way through another thread: a second of processor time for a file that starts a server.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parse } from 'yaml';
import { whatItDoes } from './what-it-does.ts';

interface Settings {
  /** Seconds after which a file that has not ended has failed. */
  readonly timeout: number;
  /** Files at once. */
  readonly jobs: number;
}

const SETTINGS = parse(readFileSync(resolve('.taprc'), 'utf8')) as Settings;
/** Milliseconds for a file whose time is up to tell which test waits; then for it to end. */
const LAST_WORDS_MS = 10_000;

interface Ended {
  readonly file: string;
  readonly tap: string;
  readonly isGood: boolean;
  readonly milliseconds: number;
  readonly diagnostics: Readonly<Record<string, string | number | null>>;
}

interface SpawnOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly onTap: (text: string) => void;
  readonly onStderr: (chunk: Buffer) => void;
}

/** Whether all were good. */
export async function spawnFiles(files: readonly string[], options: SpawnOptions): Promise<boolean> {
  options.onTap(`TAP version 14\n1..${files.length}\n`);
  const waiting = [...files.entries()];
  let number = 0;
  let areGood = true;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const ended = await runFile(next[1], next[0], options);
      number += 1;
      areGood &&= ended.isGood;
      options.onTap(pointOf(ended, number));
    }
  };
  await Promise.all(Array.from({ length: Math.min(SETTINGS.jobs, files.length) }, work));
  return areGood;
}

async function runFile(file: string, index: number, { env, onStderr }: SpawnOptions): Promise<Ended> {
  const began = Date.now();
  const child = spawn(process.execPath, ['--enable-source-maps', '--inspect-port=0', resolve(file)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, TAP: '1', TAP_TIMEOUT: String(SETTINGS.timeout), TAP_CHILD_ID: String(index + 1) },
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => parts.push(chunk));
  child.stderr.on('data', onStderr);
  const time: { isUp: boolean; doing?: string } = { isUp: false };
  const timer = setTimeout(
    async () => {
      time.isUp = true;
      time.doing = await whatItDoes(child);
      end(child);
    },
    SETTINGS.timeout * 1000 + LAST_WORDS_MS,
  );
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  const tap = Buffer.concat(parts).toString();
  return {
    file,
    tap,
    isGood: exitCode === 0 && !time.isUp && /^1\.\.\d/m.test(tap),
    milliseconds: Date.now() - began,
    diagnostics: {
      ...(time.isUp && { expired: file, doing: time.doing ?? 'unknown' }),
      ...(signal ? { signal } : { exitCode }),
    },
  };
}

function end(child: ChildProcess): void {
  child.kill('SIGTERM');
  const last = setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS);
  child.once('close', () => clearTimeout(last));
}

function pointOf({ file, tap, isGood, milliseconds, diagnostics }: Ended, number: number): string {
  const below = tap.replace(/^TAP version 14\n/, '').replace(/^(?=.)/gm, '    ');
  const text = `# Subtest: ${file}\n${below}${below.endsWith('\n') ? '' : '\n'}`;
  const nothing = isGood && !/^(?:not )?ok /m.test(tap) ? ' # SKIP no tests found' : '';
  const point = `${isGood ? 'ok' : 'not ok'} ${number} - ${file}${nothing || ` # time=${milliseconds}ms`}\n`;
  const why = isGood
    ? ''
    : `  ---\n${Object.entries(diagnostics)
        .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`)
        .join('')}  ...\n`;
  return `${text}${point}${why}\n`;
}
