/**
 * What the log has of an outage: while a database is away every request fails of the same cause, and a line with a stack for
 * each would bury all else. One line tells of the first, and then one now and then, with the number of those between.
 */
import type Logger from 'bunyan';

const EVERY_MS = 10_000;
/** Different causes that are told apart: some have numbers or names in them. */
const MOST_CAUSES = 100;

interface Told {
  readonly at: number;
  /** Not told since. */
  alike: number;
}

const toldBy = new WeakMap<Logger, Map<string, Told>>();

/**
 * Whether the log has to tell of this one now.
 * @returns how many were alike since the last one that was told; undefined if this is one of them
 */
export function tellsOfOutage(log: Logger, cause: unknown, now = performance.now()): number | undefined {
  const causes = causesOf(log);
  const key = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  const last = causes.get(key);
  if (last !== undefined && now - last.at < EVERY_MS) {
    last.alike += 1;
    return undefined;
  }
  causes.delete(key);
  causes.set(key, { at: now, alike: 0 });
  // The first key is the one that was told longest ago.
  for (const oldest of causes.keys()) {
    if (causes.size <= MOST_CAUSES) break;
    causes.delete(oldest);
  }
  return last?.alike ?? 0;
}

function causesOf(log: Logger): Map<string, Told> {
  const known = toldBy.get(log);
  if (known !== undefined) return known;
  const causes = new Map<string, Told>();
  toldBy.set(log, causes);
  return causes;
}
