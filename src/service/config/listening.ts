/**
 * Where the servers of a data folder listen. Each server notes its port in the folder while it runs. So the operators'
 * command knows which servers the folder's secret belongs to, and sends it to no other.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { accepts } from '#lib/network/accepts.ts';
import { bareHost, listenerUrl, portOf } from '#lib/network/listener-url.ts';
import { hasDied, isOfThisHost, newProcessName } from '#lib/runtime/process-name.ts';
import { OwnAddresses } from '../own-addresses.ts';

/**
 * In the data folder; holds a file PORT.PID.START.HOST.ADDRESS for each port, or PORT.PID.ADDRESS where the system does not
 * tell the others. They are empty, in case the disk is full.
 */
const FOLDER = 'run';

/** Returns a function that removes the note. */
export async function noteListening(dataDir: string, url: string): Promise<() => Promise<void>> {
  const folder = join(dataDir, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A server that was killed leaves its note behind.
  for (const note of await notesIn(folder)) {
    if (!mayRun(note)) await rm(join(folder, note.name), { force: true });
  }
  const bound = new URL(url);
  const file = join(folder, `${portOf(bound)}.${ownProcess()}.${bareHost(bound)}`);
  await (await open(file, 'w', 0o600)).close();
  return () => rm(file, { force: true });
}

/** URLs of the running servers of the folder. None if there is no such folder. */
export async function listeningUrls(dataDir: string): Promise<string[]> {
  const notes = await notesIn(join(dataDir, FOLDER));
  return urlsOf(notes.filter(mayRun));
}

/**
 * Those of them that run for certain: they are of this host, or something listens there. After a crash a server's note
 * stays, and in another boot, or container, its process id is somebody else's.
 */
export async function runningServers(dataDir: string): Promise<string[]> {
  const notes = (await notesIn(join(dataDir, FOLDER))).filter(mayRun);
  const runs = await Promise.all(
    notes.map(({ owner, address, port }) => isOfThisHost(owner) || accepts(address, Number(port))),
  );
  return urlsOf(notes.filter((_, at) => runs[at]));
}

function urlsOf(notes: readonly Note[]): string[] {
  return [...new Set(notes.map(({ address, port }) => listenerUrl(address, port)))].toSorted();
}

/** Whether the URL leads to one of these servers, on this machine. Only IP addresses and `localhost` can. */
export function isReachedBy(servers: readonly string[], url: string): boolean {
  const listeners = new OwnAddresses();
  for (const server of servers) listeners.add(server);
  const asked = new URL(url);
  const host = bareHost(asked);
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  return addresses.some((address) => isIP(address) !== 0 && listeners.has(address, portOf(asked)));
}

interface Note {
  readonly name: string;
  /** A process name without what makes it unique. */
  readonly owner: string;
  readonly pid: number;
  readonly address: string;
  readonly port: string;
}

const NOTE = /^(\d+)\.((\d+)\.(?:\d+\.[0-9a-f]{16}\.)?)(.+)$/;

async function notesIn(folder: string): Promise<Note[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const [, port = '', owner = '', pid, address = ''] = NOTE.exec(name) ?? [];
    if (isIP(address) === 0) return [];
    return [{ name, owner, pid: Number(pid), address, port }];
  });
}

/** PID.START.HOST, or PID. */
function ownProcess(): string {
  return newProcessName().replace(/\.[^.]*$/, '');
}

function mayRun({ owner, pid }: Note): boolean {
  return isRunning(pid) && !hasDied(owner);
}

/** Once the process has ended, somebody else may use its port. */
function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
