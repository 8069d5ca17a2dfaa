/** Amounts of bytes for people, in powers of 1024. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `0 B`, `512 B`, `1.2 MiB`, `34 GiB`. */
export function formatBytes(bytes: number): string {
  const power = powerOf(bytes);
  return `${inUnit(bytes, power)} ${UNITS[power]}`;
}

/** `1.2 of 34 GiB`, both in the unit of the total; the part is rounded down, so that it never looks whole too early. */
export function formatShare(done: number, total: number): string {
  const power = powerOf(total);
  return `${inUnit(done, power, done < total)} of ${inUnit(total, power)} ${UNITS[power]}`;
}

/** @param rate bytes per second */
export function formatRate(rate: number): string {
  return `${formatBytes(rate)}/s`;
}

function powerOf(bytes: number): number {
  let power = 0;
  // What would be rounded up to 1024 of a unit is one of the next.
  for (let left = bytes; left >= 1023.5 && power < UNITS.length - 1; left /= 1024) power++;
  return power;
}

function inUnit(bytes: number, power: number, isRoundedDown = false): string {
  const value = bytes / 1024 ** power;
  const digits = power > 0 && value > 0 && value < 9.95 ? 1 : 0;
  const scale = 10 ** digits;
  return (isRoundedDown ? Math.floor(value * scale) / scale : value).toFixed(digits);
}
