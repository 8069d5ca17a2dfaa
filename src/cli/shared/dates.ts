/** Dates on the command line. */
import { usageError } from '../framework/errors.ts';

/** In the form of manifests; now, if none is given. @throws CommandError of usage */
export function readDate(option: string, given: string | undefined): string {
  if (given === undefined) return new Date().toISOString();
  const date = new Date(given);
  if (/^\d{4}-\d{2}-\d{2}/.test(given) && !Number.isNaN(date.getTime())) return date.toISOString();
  const forms = 'a date such as 2030-01-31 or 2030-01-31T12:00:00Z';
  throw usageError(`--${option} is ${JSON.stringify(given)}; it must be ${forms}`);
}
