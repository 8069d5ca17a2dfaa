/** The answer of POST /admin/reap, and all that it names in one list. */
import type { CleanUpReport, ReapFailure } from '#lib/api/schemas/maintenance.ts';
import { formatBytes } from '../../output/bytes.ts';

export interface Leftover {
  readonly what: string;
  readonly name: string;
  /** Absent for what takes no room. */
  readonly bytes?: { readonly count: number; readonly words: string };
}

/** A server may leave out parts that there is nothing to say of. */
export function leftovers({ pulls, staging, copies }: Partial<CleanUpReport>): Leftover[] {
  return [
    ...(pulls?.objects ?? []).map(({ storage, path, size }) => item('pull link', `${storage}:${path}`, size)),
    ...(pulls?.directories ?? []).map(({ storage, path }) => item('pull directory', `${storage}:${path}`)),
    ...(pulls?.links ?? []).map(({ reqid }) => item('pull record', reqid)),
    ...[...(staging?.sessions ?? []), ...(staging?.leftovers ?? [])].map(({ session, stor, size }) =>
      item('staging', stor === undefined ? session : `${stor}:${session}`, size),
    ),
    ...(copies?.placeholders ?? []).map(({ uuid, bytes }) => item('failed copy', uuid, bytes)),
    ...(copies?.orders ?? []).map((order) => item('ended order', order)),
    ...(copies?.links ?? []).map((path) => item('copy link', path)),
  ];
}

export function failuresOf({ pulls }: Partial<CleanUpReport>): readonly ReapFailure[] {
  return pulls?.failed ?? [];
}

/** Bytes. */
export function sizeOf(found: readonly Leftover[]): number {
  return found.reduce((sum, { bytes }) => sum + (bytes?.count ?? 0), 0);
}

function item(what: string, name: string, bytes?: number): Leftover {
  return { what, name, ...(bytes !== undefined && { bytes: { count: bytes, words: formatBytes(bytes) } }) };
}
