/** The two date formats in manifests. Both are compared as strings, so the format is exact. */

const PUBLISHED_AT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/;
const PLATFORM_STAMP = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** Platforms are SmartOS builds; there are none with earlier stamps. */
const FIRST_PLATFORM_YEAR = 2012;

/** `2012-12-25T12:00:00Z` or `2012-12-25T12:00:00.123Z`; does not check that the day exists. */
export function hasDateForm(value: unknown): value is string {
  return typeof value === 'string' && PUBLISHED_AT.test(value);
}

/** A date in that form that exists. */
export function isDate(value: unknown): value is string {
  return hasDateForm(value) && !Number.isNaN(Date.parse(value));
}

/** `20130308T102805Z`: the build time that names a platform. */
export function isPlatformStamp(value: unknown): value is string {
  const parts = typeof value === 'string' ? PLATFORM_STAMP.exec(value) : null;
  if (!parts) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  if (year < FIRST_PLATFORM_YEAR) return false;
  if (month < 1 || month > 12 || day < 1 || day > 31) return false;
  return hour <= 23 && minute <= 59 && second <= 59;
}
