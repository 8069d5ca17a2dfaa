/** Clocks that differ from that of this machine. */
import type { Finding } from './finding.ts';

/** Seconds. Below that a request that was slow looks the same. */
const MOST_SKEW_SECONDS = 60;

/**
 * Undefined if it is near enough.
 * @param ahead seconds
 * @param refused seconds from which on signatures are refused; absent: there are none
 */
export function clockFinding(name: string, ahead: number, refused?: number): Finding | undefined {
  const seconds = Math.round(Math.abs(ahead));
  if (seconds <= MOST_SKEW_SECONDS) return undefined;
  const way = ahead > 0 ? 'ahead of' : 'behind';
  const isRefused = refused !== undefined && seconds > refused;
  const so = isRefused ? `, and signatures are refused from ${refused} s on` : '';
  return {
    part: 'clocks',
    problem: `the clock of ${name} is ${seconds} s ${way} this one${so}`,
    mend: 'look at NTP on both sides (chronyc tracking, ntpq -p)',
  };
}
