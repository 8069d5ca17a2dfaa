/** What the SQLite tests and their child processes share. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { openSqliteStore, type SqliteStoreOptions } from '#lib/documents/sqlite/store.ts';
import type { Bucket } from '#lib/documents/store.ts';

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
  /** Resolves when so many lines have come (or the child has ended). */
  wrote(lines: number): Promise<void>;
}

/** Runs one of the roles of `child.ts` in a process of its own, which does not outlive the test. */
export function startChild(t: Test, role: string, args: readonly string[], shell?: string): Child {
  const script = new URL('./child.ts', import.meta.url).pathname;
  const command = [process.execPath, script, role, ...args];
  const child =
    shell === undefined
      ? spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
      : spawn('sh', ['-c', `${shell}; exec "$@"`, 'sh', ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
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
  return { process: child, lines, ended, wrote };
}
