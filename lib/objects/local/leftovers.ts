/** Temporary names of the store's own, as a process leaves them that dies: second names, and trees being removed. */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from '../../runtime/absence.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { SessionInfo } from '../object-store.ts';
import type { Layout } from './layout.ts';
import { bytesBelow, bytesFreedBy } from './usage.ts';

/** Milliseconds. Temporary names live for moments; an hour allows for a clock that was set and a machine that slept. */
const LEFT_AFTER = 3_600_000;

/** Those that are older than `age` milliseconds, with the bytes that their removal frees. */
export async function findLeftovers(layout: Layout, clock: Clock, age = LEFT_AFTER): Promise<SessionInfo[]> {
  const found: SessionInfo[] = [];
  for (const session of await readdir(layout.staging)) {
    if (!layout.isTemporary(session)) continue;
    const file = join(layout.staging, session);
    const stat = await ifThere(lstat(file));
    // A second name of an old file is itself new: only the change time tells.
    if (stat === undefined || clock.now() - stat.ctimeMs <= age) continue;
    const size = stat.isDirectory() ? await bytesBelow(file) : await bytesFreedBy(file);
    found.push({ session, size, mtime: stat.ctime });
  }
  return found;
}

export async function removeLeftover(layout: Layout, name: string): Promise<void> {
  await rm(join(layout.staging, name), { recursive: true, force: true });
}
