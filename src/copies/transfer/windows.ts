/** How many bytes a second a link may take, which may depend on the time of day. */
import type { CopiesConfig } from '../../service/config/config.ts';

const DAY_MINUTES = 24 * 60;

/**
 * Bytes per second of all transfers from a datacenter together; undefined if there is no limit now. Of windows that
 * overlap the lowest counts, and outside of all of them what is said without times.
 * @param now milliseconds since the epoch, by the store's clock, so that all processes agree
 */
export function budgetAt(bandwidth: CopiesConfig['bandwidth'], source: string, now: number): number | undefined {
  const budget = Object.hasOwn(bandwidth, source) ? bandwidth[source] : undefined;
  if (budget === undefined || typeof budget === 'number') return budget;
  const time = new Date(now);
  const minute = time.getUTCHours() * 60 + time.getUTCMinutes();
  const open = budget.filter((one) => one.from !== undefined && isWithin(minute, minuteOf(one.from), minuteOf(one.to)));
  const counting = open.length > 0 ? open : budget.filter(({ from }) => from === undefined);
  return counting.length === 0 ? undefined : Math.min(...counting.map(({ bytesPerSecond }) => bytesPerSecond));
}

/** A window that ends before it begins goes over midnight; one that ends where it begins lasts all day. */
function isWithin(minute: number, from: number, to: number): boolean {
  const length = (to - from + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES;
  return (minute - from + DAY_MINUTES) % DAY_MINUTES < length;
}

/** @param time `HH:MM`, as the configuration's schema has it */
function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) % DAY_MINUTES;
}
