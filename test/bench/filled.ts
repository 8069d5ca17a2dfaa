/** A server with so many images, ready to be started. */
import { join } from 'node:path';
import type { Plan } from './measure.ts';
import { type ServerOptions, startServer } from './server.ts';
import { fillSqlite } from './sqlite-images.ts';

/** @param what names its folder, which no other suite fills too */
export async function filledServer({ directory, profile }: Plan, what: string, count: number): Promise<ServerOptions> {
  const dataDir = join(directory, `${what}-${count}${profile ? '-profiled' : ''}`);
  const options = { name: 'bench-1', dataDir, ...(profile ? { profile } : {}) };
  await (await startServer(options)).stop();
  fillSqlite(dataDir, count);
  return options;
}
