/** The store's temporary names that dead processes left behind: half-made links, and trees that were being removed. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../../runtime/absence.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SessionInfo } from '../object-store.ts';
import type { Layout } from './layout.ts';
import { bytesBelow, bytesFreedBy } from './usage.ts';

/**
 * Milliseconds, where nobody can tell whether the process has died, as from another host. Temporary names last only moments;
 * an hour allows for clock changes and for a machine that slept.
 */
const LEFT_AFTER = 3_600_000;

/** Those of processes of this host that have died, and all older than `age`; `size` is what their removal frees. */
export async function findLeftovers(layout: Layout, clock: Clock, age = LEFT_AFTER): Promise<SessionInfo[]> {
  const found: SessionInfo[] = [];
  for (const session of await readdir(layout.staging)) {
    if (!layout.isTemporary(session)) continue;
    const file = join(layout.staging, session);
    const stat = await ifThere(lstat(file));
    // A new link to an old file has the file's old mtime; only ctime shows its age.
    if (stat === undefined || (clock.now() - stat.ctimeMs <= age && !layout.isOfDead(session))) continue;
    const size = stat.isDirectory() ? await bytesBelow(file) : await bytesFreedBy(file);
    found.push({ session, size, mtime: stat.ctime });
  }
  return found;
}

export async function removeLeftover(layout: Layout, name: string): Promise<void> {
  await rm(join(layout.staging, name), { recursive: true, force: true });
}
