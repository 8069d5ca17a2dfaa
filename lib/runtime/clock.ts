/** Time as a parameter, so that leases, expiries and clock skew can be tested. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** How much later than it should something may end: clocks are set right while they go. */
const SLACK_MS = 5000;

/**
 * Whether what was to last so many milliseconds at the most, and to end then, lasts still. What ends later than it could
 * if it had begun just now was written down by a clock that was wrong, and would last for ever.
 */
export function lasts(until: number, length: number, now: number): boolean {
  return until > now && until <= now + length + SLACK_MS;
}
