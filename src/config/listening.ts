/**
 * Where the servers of a data folder listen. Each notes its port there while it runs, so that the operators' command
 * knows which servers the folder's secret belongs to, and sends it to no other one.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Below the data folder: an empty file PORT.PROCESS for each port, for a full disk has room for no more. */
const FOLDER = 'run';

/** Answers what takes the note back. */
export async function noteListening(dataDir: string, url: string): Promise<() => Promise<void>> {
  const folder = join(dataDir, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A server that was killed leaves its note behind.
  for (const { name } of (await notesIn(folder)).filter(({ pid }) => !isRunning(pid))) {
    await rm(join(folder, name), { force: true });
  }
  const file = join(folder, `${portOf(url)}.${process.pid}`);
  await (await open(file, 'w', 0o600)).close();
  return () => rm(file, { force: true });
}

/** The ports on which servers of the folder listen now. None where the folder, or a running server, is missing. */
export async function listeningPorts(dataDir: string): Promise<string[]> {
  const notes = await notesIn(join(dataDir, FOLDER));
  return [...new Set(notes.filter(({ pid }) => isRunning(pid)).map(({ port }) => port))].toSorted();
}

async function notesIn(folder: string): Promise<{ name: string; port: string; pid: number }[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const [, port, pid] = /^(\d+)\.(\d+)$/.exec(name) ?? [];
    return port === undefined ? [] : [{ name, port, pid: Number(pid) }];
  });
}

export function portOf(url: string): string {
  const { port, protocol } = new URL(url);
  return port || (protocol === 'https:' ? '443' : '80');
}

/** Of one that is not, somebody else may have the port by now. */
function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
