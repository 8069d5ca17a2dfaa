/** Time as a parameter, so that leases, expiries and clock skew can be tested. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** How much too late something may end: clocks are corrected while they run. */
const SLACK_MS = 5000;

/**
 * Whether something that lasts at most `length` milliseconds, and ends at `until`, still lasts. If `until` is further
 * away than `length`, it was computed from a wrong clock, and might never end: it counts as over.
 */
export function lasts(until: number, length: number, now: number): boolean {
  return until > now && until <= now + length + SLACK_MS;
}
