/**
 * What a run of tests, or a demo, leaves when it is ended in the middle: servers and temporary folders. Each run has a
 * temporary folder of its own, in which all others lie, and a name that all its processes inherit in their environment.
 * The next run removes the folders of those that have ended, and ends their processes. A process is ended only when its
 * environment names a run that is over, and it is still the one that was looked at.
 */
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { unmountBelow } from './mounts.ts';
import { runDirectory } from './run-directory.ts';

const PREFIX = 'imgapi-run-';
const OWNER = 'owner.json';
/** Names of runs, of one within another too, with a colon between them. */
const VARIABLE = 'IMGAPI_TEST_RUN';
const TURNS = 600;
const PAUSE_MS = 50;

interface Owner {
  readonly pid: number;
  /** Ticks since the machine started; no two processes of one number have the same. */
  readonly started: string;
  /** Of the process numbers: a container that shares the folder has others. */
  readonly space: string;
}

export interface OwnRun {
  /** For the processes of the run. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  /** Removes the run's folder. */
  end(): void;
  /** Ends the processes of the run first, at once. */
  abort(): void;
}

export interface Removed {
  readonly folders: readonly string[];
  readonly processes: readonly number[];
}

/** The part of this process's environment by which its run is known, for processes that get no more of it. */
export function marks(): Record<string, string> {
  const mark = process.env[VARIABLE];
  return mark === undefined ? {} : { [VARIABLE]: mark };
}

/** Begins a run; its folder is where `tmpdir()` is for processes that have its environment. */
export function beginRun(directory = tmpdir()): OwnRun {
  const folder = mkdtempSync(join(directory, PREFIX));
  // Servers that refuse to run as root have folders in it, which their user must be able to reach.
  chmodSync(folder, 0o711);
  const owner: Owner = { pid: process.pid, started: startOf(process.pid) ?? '', space: processSpace() };
  writeFileSync(join(folder, OWNER), JSON.stringify(owner));
  const name = [process.env[VARIABLE], basename(folder)].filter(Boolean).join(':');
  return {
    env: { [VARIABLE]: name, TMPDIR: folder },
    folder,
    end: () => removeFolder(folder),
    abort() {
      const own = new Set([basename(folder)]);
      for (const pid of processIds()) if (isOf(pid, own)) endProcess(pid, own);
      removeFolder(folder);
    },
  };
}

const INTERRUPTIONS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A process that is told to end aborts these runs before it does: then nothing is left to a next run. */
export function abortWhenInterrupted(runs: readonly OwnRun[]): void {
  for (const signal of INTERRUPTIONS) {
    process.once(signal, () => {
      for (const run of runs) run.abort();
      process.kill(process.pid, signal);
    });
  }
}

/** Ends and removes what runs left that are over. Only what belongs to this user is looked at. */
export async function removeLeftovers(directory = tmpdir()): Promise<Removed> {
  const folders = runsThatAreOver(directory);
  const names = new Set(folders.map((folder) => basename(folder)));
  const left = processIds().filter((pid) => isOf(pid, names));
  const processes = left.flatMap((pid) => (endProcess(pid, names) ? [pid] : []));
  for (let turn = 0; turn < TURNS && processes.some((pid) => isOf(pid, names)); turn++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  for (const folder of folders) removeFolder(folder);
  return { folders, processes };
}

function removeFolder(folder: string): void {
  unmountBelow(folder);
  // A process that was just ended may be writing its last file.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: PAUSE_MS });
}

function runsThatAreOver(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(directory, name))
    .filter((folder) => {
      const found = statSync(folder, { throwIfNoEntry: false });
      if (!found?.isDirectory() || found.uid !== process.getuid?.()) return false;
      const owner = ownerOf(folder);
      return owner?.space === processSpace() && startOf(owner.pid) !== owner.started;
    });
}

/** Undefined for a folder that another run is just making. */
function ownerOf(folder: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, OWNER), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function endProcess(pid: number, names: ReadonlySet<string>): boolean {
  const started = startOf(pid);
  // Its number may have passed to another process since the list was made.
  if (started === undefined || !isOf(pid, names) || startOf(pid) !== started) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** Whether the environment that a process was started with names one of the runs. */
function isOf(pid: number, names: ReadonlySet<string>): boolean {
  if (pid === process.pid) return false;
  const variable = readOf(pid, 'environ')
    ?.split('\0')
    .find((entry) => entry.startsWith(`${VARIABLE}=`));
  return (
    variable
      ?.slice(VARIABLE.length + 1)
      .split(':')
      .some((name) => names.has(name)) ?? false
  );
}

/** None where the kernel does not tell. */
function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** Undefined when there is no such process. Where the kernel does not tell, '' for one that there is. */
function startOf(pid: number): string | undefined {
  const stat = readOf(pid, 'stat');
  // The name of the program, in parentheses, may have blanks of its own.
  if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  try {
    process.kill(pid, 0);
    return '';
  } catch {
    return undefined;
  }
}

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function readOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.main) {
  for (const directory of new Set([tmpdir(), runDirectory()])) {
    const { folders, processes } = await removeLeftovers(directory);
    if (folders.length > 0) {
      process.stdout.write(
        `removed what interrupted runs left: ${processes.length} processes, ${folders.length} folders\n`,
      );
    }
  }
}
