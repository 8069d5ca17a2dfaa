/** Numbers and dates as people read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** @param {number | undefined} count */
export function bytes(count) {
  if (count === undefined) return '';
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** @param {string | undefined} iso */
export function day(iso) {
  return iso ? iso.slice(0, 10) : '';
}

/** @param {string | undefined} iso */
export function moment(iso) {
  return iso ? `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC` : '';
}

/** @param {number | undefined} seconds */
export function duration(seconds) {
  if (seconds === undefined) return '';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** @param {{ files: { size: number }[] }} image */
export function sizeOf({ files }) {
  return bytes(files.reduce((sum, { size }) => sum + size, 0));
}
