/**
 * Where the servers of a data folder listen. Each notes its port there while it runs, so that the operators' command
 * knows which servers the folder's secret belongs to, and sends it to no other one.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Below the data folder: a file for each port, with the process that listens there. */
const FOLDER = 'run';

/** Answers what takes the note back. */
export async function noteListening(dataDir: string, url: string): Promise<() => Promise<void>> {
  const folder = join(dataDir, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, portOf(url));
  await writeFile(file, `${process.pid}\n`, { mode: 0o600 });
  return () => rm(file, { force: true });
}

/** The ports on which servers of the folder listen now. None where the folder, or a running server, is missing. */
export async function listeningPorts(dataDir: string): Promise<string[]> {
  const folder = join(dataDir, FOLDER);
  const found: string[] = [];
  for (const port of (await readdir(folder).catch(() => [])).toSorted()) {
    const pid = Number(await readFile(join(folder, port), 'utf8').catch(() => ''));
    if (isRunning(pid)) found.push(port);
  }
  return found;
}

export function portOf(url: string): string {
  const { port, protocol } = new URL(url);
  return port || (protocol === 'https:' ? '443' : '80');
}

/** A server that was killed leaves its note behind, and somebody else may listen on its port by now. */
function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
