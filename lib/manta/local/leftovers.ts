import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { hasCode } from './durable.ts';
import type { Layout } from './layout.ts';

/** Milliseconds. Temporary names live for moments; an hour allows for a clock that was set and a machine that slept. */
const OLD = 3_600_000;

/** Removes what a process that died left under temporary names; answers how many. */
export async function removeLeftovers(layout: Layout, clock: Clock): Promise<number> {
  let removed = 0;
  for (const name of await readdir(layout.staging)) {
    const file = join(layout.staging, name);
    if (layout.isTemporary(name) && (await isOld(file, clock))) {
      await rm(file, { recursive: true, force: true });
      removed += 1;
    }
  }
  return removed;
}

async function isOld(file: string, clock: Clock): Promise<boolean> {
  try {
    // A second name of an old file is itself new: only the change time tells.
    return clock.now() - (await lstat(file)).ctimeMs > OLD;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return false;
    }
    throw error;
  }
}
