/**
 * Where the servers of a data folder listen. Each server notes its port in the folder while it runs. So the operators'
 * command knows which servers the folder's secret belongs to, and sends it to no other.
 */
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { bareHost, listenerUrl, portOf } from '#lib/network/listener-url.ts';
import { OwnAddresses } from '../own-addresses.ts';

/** In the data folder; holds a file PORT.PROCESS.ADDRESS for each port. They are empty, in case the disk is full. */
const FOLDER = 'run';

/** Returns a function that removes the note. */
export async function noteListening(dataDir: string, url: string): Promise<() => Promise<void>> {
  const folder = join(dataDir, FOLDER);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // A server that was killed leaves its note behind.
  for (const { name } of (await notesIn(folder)).filter(({ pid }) => !isRunning(pid))) {
    await rm(join(folder, name), { force: true });
  }
  const bound = new URL(url);
  const file = join(folder, `${portOf(bound)}.${process.pid}.${bareHost(bound)}`);
  await (await open(file, 'w', 0o600)).close();
  return () => rm(file, { force: true });
}

/** URLs of the running servers of the folder. None if there is no such folder. */
export async function listeningUrls(dataDir: string): Promise<string[]> {
  const notes = await notesIn(join(dataDir, FOLDER));
  return [...new Set(notes.filter(({ pid }) => isRunning(pid)).map(({ url }) => url))].toSorted();
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

async function notesIn(folder: string): Promise<{ name: string; pid: number; url: string }[]> {
  const names = await readdir(folder).catch(() => []);
  return names.flatMap((name) => {
    const [, port = '', pid, address = ''] = /^(\d+)\.(\d+)\.(.+)$/.exec(name) ?? [];
    if (isIP(address) === 0) return [];
    return [{ name, pid: Number(pid), url: listenerUrl(address, port) }];
  });
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
