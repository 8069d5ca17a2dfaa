/**
 * How much of a link transfers may take, as the configuration has it: a number of bytes per second, or windows of the day, which
 * people write as they read them off their contracts: `200 Mb/s 08:00-18:00`.
 */

/** From one minute of the day (`HH:MM`, UTC) until before another. */
export interface BandwidthWindow {
  readonly from: string;
  readonly to: string;
  readonly bytesPerSecond: number;
}

/** At all times of the day that no window has. */
export interface BandwidthBeside {
  readonly from?: undefined;
  readonly bytesPerSecond: number;
}

/** Bytes per second at any time, or by the time of day. */
export type Bandwidth = number | readonly (BandwidthWindow | BandwidthBeside)[];

/** As the schema lets it pass. */
export type GivenBandwidth = number | string | readonly (string | BandwidthWindow)[];

/** Bytes per second of each unit: `b` are bits, `B` bytes. */
const UNITS: Readonly<Record<string, number>> = {
  ...{ 'b/s': 1 / 8, 'kb/s': 1e3 / 8, 'Mb/s': 1e6 / 8, 'Gb/s': 1e9 / 8 },
  ...{ 'B/s': 1, 'kB/s': 1e3, 'MB/s': 1e6, 'GB/s': 1e9 },
  ...{ 'KiB/s': 2 ** 10, 'MiB/s': 2 ** 20, 'GiB/s': 2 ** 30 },
};

/** @param given has passed {@link wrongInBandwidth} wherever it is a text */
export function resolveBandwidth(given: Readonly<Record<string, GivenBandwidth>>): Readonly<Record<string, Bandwidth>> {
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, resolved(one)]));
}

function resolved(given: GivenBandwidth): Bandwidth {
  if (typeof given === 'number') return given;
  const windows = typeof given === 'string' ? [given] : given;
  return windows.map((one) => {
    const read = typeof one === 'string' ? readText(one) : one;
    if (typeof read === 'string') throw new Error(`bandwidth: ${read}`);
    return read;
  });
}

/** What is wrong with a text; undefined: nothing. */
export function wrongInBandwidth(text: string): string | undefined {
  const read = readText(text);
  return typeof read === 'string' ? read : undefined;
}

/** Returns what is wrong if it cannot be read. */
function readText(text: string): BandwidthWindow | BandwidthBeside | string {
  const [, number, unit, times] = /^([0-9.]+)\s*([^\s0-9]\S*)?(?:\s+(\S.*))?$/.exec(text.trim()) ?? [];
  if (number === undefined || !/^\d+(\.\d+)?$/.test(number)) {
    return 'it must begin with a rate, such as "200 Mb/s"';
  }
  const known = Object.keys(UNITS).join(', ');
  if (unit === undefined) return `${number} has no unit; the units are ${known}`;
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (factor === undefined) return `${JSON.stringify(unit)} is not a unit; the units are ${known}`;
  const bytesPerSecond = Math.floor(Number(number) * factor);
  if (bytesPerSecond < 1 || !Number.isSafeInteger(bytesPerSecond)) {
    return 'the rate must be at least one byte per second, and less than 2^53';
  }
  if (times === undefined) return { bytesPerSecond };
  const [, from, to] = /^(\S+?)\s*-\s*(\S+)$/.exec(times) ?? [];
  if (from === undefined || to === undefined) {
    return `${JSON.stringify(times)} is not a window; it must be two times of day in UTC, such as 08:00-18:00`;
  }
  const wrong = [from, to].find((time) => !/^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(time));
  if (wrong === undefined) return { from, to, bytesPerSecond };
  return `${JSON.stringify(wrong)} is not a time of day in UTC, from 00:00 to 23:59`;
}
