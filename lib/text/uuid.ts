/**
 * UUIDs as IMGAPI accepts them: lower-case hex only, 8-4-4-4-12, any version. The check is not that of the package
 * `uuid`, which accepts capitals and refuses versions that no RFC describes. UUIDs are keys here, so there must be only
 * one spelling, and images have been published under UUIDs such as 0965c1f4-6995-c095-ecb5-c1a80be2b08e.
 */
import { NIL, v4, v5, v7 } from 'uuid';

export const NIL_UUID = NIL;

/** For JSON schemas. */
export const UUID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';
const UUID = new RegExp(UUID_PATTERN);

export function isUuid(value: string): boolean;
export function isUuid(value: unknown): value is string;
export function isUuid(value: unknown): boolean {
  return typeof value === 'string' && UUID.test(value);
}

/** A random one. */
export function newUuid(): string {
  return v4();
}

/** The same for the same names, and for nobody else's: others cannot be found that lead to a UUID that there is. */
export function uuidOfNames(...names: readonly string[]): string {
  return v5(JSON.stringify(names), OF_NAMES);
}

/** Never changes: what was made once must be found again. */
const OF_NAMES = '3d0b0c5e-8f0e-4c2b-9a6e-5b5d1c7f2a41';

let made = 0;

/**
 * One whose order is that of time, and of those of one process and millisecond the order in which they were made.
 * @param now milliseconds since the epoch
 */
export function newTimeUuid(now: number): string {
  made = (made + 1) % 2 ** 31;
  return v7({ msecs: now, seq: made });
}

/** Milliseconds since the epoch, of a UUID that {@link newTimeUuid} made; undefined for any other version. */
export function timeOfUuid(uuid: string): number | undefined {
  return uuid[14] === '7' ? Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16) : undefined;
}
