/** How long a server's event loop is held, by the CPU of its thread. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { waitFor } from '../helpers/wait.ts';
import type { Running, ServerOptions } from './server.ts';

const REPORT = new URL('report-turns.ts', import.meta.url).href;

/** Options of a server that can be watched. It costs nothing as long as nobody watches. */
export function watchable(options: ServerOptions): ServerOptions {
  const env = { BENCH_TURNS_FILE: fileOf(options) };
  return { ...options, env, flags: [...(options.flags ?? []), `--import=${REPORT}`] };
}

/** Begins to watch; what it returns ends that, with the milliseconds of the longest turn. */
export async function watchTurnsOf(server: Running): Promise<() => Promise<number>> {
  await tell(server);
  return async () => Number(await tell(server));
}

async function tell(server: Running): Promise<string> {
  const file = fileOf(server);
  await rm(file, { force: true });
  process.kill(server.pid, 'SIGUSR2');
  return waitFor('a server to tell of its turns', () => readFile(file, 'utf8').catch(() => undefined));
}

function fileOf({ dataDir }: Pick<Running, 'dataDir'>): string {
  return join(dataDir, 'turns');
}
