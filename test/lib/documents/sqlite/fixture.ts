/** What the SQLite tests and their child processes share. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { openSqliteStore, type SqliteStoreOptions } from '#lib/documents/sqlite/store.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';

export const COUNTERS: Bucket<{ count: number; by?: readonly string[] }> = {
  name: 'counters',
  version: 1,
  index: { count: { type: 'number' }, by: { type: 'string', array: true } },
};

export const LOG: Bucket<{ batch: number; part: number; text: string }> = {
  name: 'log',
  version: 1,
  index: { batch: { type: 'number' }, part: { type: 'number' } },
  together: [['batch', 'part']],
};

/** Few values, so that writes often touch what a list holds. */
export interface Scribble {
  readonly name?: string;
  readonly size?: number;
  readonly open?: boolean;
  readonly acl?: readonly string[];
}

export const SCRIBBLES: Bucket<Scribble> = {
  name: 'scribbles',
  version: 1,
  index: {
    name: { type: 'string' },
    size: { type: 'number' },
    open: { type: 'boolean' },
    acl: { type: 'string', array: true },
  },
  together: [
    ['name', 'size'],
    ['acl', 'size'],
  ],
};

export const SCRIBBLE_NAMES = ['a', 'b', "it's", '*', 'ä'];

/** @param random as Math.random */
export function scribbled(random: () => number): Write {
  const one = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const key = `k${Math.floor(random() * 40)}`;
  if (random() < 0.2) return { op: 'del', bucket: SCRIBBLES, key };
  const value: Scribble = {
    ...(random() < 0.9 && { name: random() < 0.02 ? 'x'.repeat(3000) : one(SCRIBBLE_NAMES) }),
    ...(random() < 0.9 && { size: one([0.1, 1, 2, 1e15]) }),
    ...(random() < 0.9 && { open: random() < 0.5 }),
    ...(random() < 0.5 && { acl: random() < 0.2 ? [] : [one(SCRIBBLE_NAMES)] }),
  };
  return { op: 'put', bucket: SCRIBBLES, key, value };
}

/** A database in the test's own folder, open for as long as the test runs. */
export async function openCounters(t: Test, options: Partial<SqliteStoreOptions> = {}) {
  const path = join(t.testdir(), 'moray.db');
  const store = await openSqliteStore({ path, ...options });
  t.teardown(() => store.close());
  await store.open([COUNTERS]);
  return { path, store };
}

export interface Child {
  readonly process: ChildProcess;
  readonly lines: string[];
  /** Resolves with the exit code, or the name of the signal. */
  readonly ended: Promise<number | string>;
  /** Writes a line to its input. */
  tell(line: string): void;
  /** Resolves when so many lines have come (or the child has ended). */
  wrote(lines: number): Promise<void>;
}

/** Runs one of the roles of `child.ts` in a process of its own, which does not outlive the test. */
export function startChild(t: Test, role: string, args: readonly string[], shell?: string): Child {
  const script = new URL('./child.ts', import.meta.url).pathname;
  const command = [process.execPath, script, role, ...args];
  const child =
    shell === undefined
      ? spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
      : spawn('sh', ['-c', `${shell}; exec "$@"`, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code, signal]]) => signal ?? code);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const wrote = async (count: number): Promise<void> => {
    while (lines.length < count && child.exitCode === null && child.signalCode === null) {
      await Promise.race([once(reader, 'line'), ended]);
    }
  };
  const tell = (line: string): void => void child.stdin.write(`${line}\n`);
  return { process: child, lines, ended, tell, wrote };
}
