/** The answer of POST /admin/reap, and all that it names in one list. */
import { formatBytes } from '../../output/bytes.ts';

export interface ReapReport {
  readonly dry_run: boolean;
  readonly pulls?: {
    readonly objects?: readonly { readonly storage: string; readonly path: string; readonly size: number }[];
    readonly directories?: readonly { readonly storage: string; readonly path: string }[];
    readonly links?: readonly { readonly reqid: string }[];
    /** Names that the service did not give. */
    readonly ignored?: readonly string[];
    readonly failed?: readonly ReapFailure[];
  };
  readonly staging?: {
    readonly sessions?: readonly Staged[];
    /** Under names that the store gave itself. */
    readonly leftovers?: readonly Staged[];
  };
  readonly copies?: {
    readonly placeholders?: readonly { readonly uuid: string; readonly bytes: number }[];
    readonly orders?: readonly string[];
    readonly links?: readonly string[];
  };
}

interface Staged {
  readonly session: string;
  readonly stor?: string;
  readonly size: number;
}

export interface ReapFailure {
  readonly path: string;
  readonly error: string;
}

export interface Leftover {
  readonly what: string;
  readonly name: string;
  /** Absent for what takes no room. */
  readonly bytes?: { readonly count: number; readonly words: string };
}

export function leftovers({ pulls = {}, staging = {}, copies = {} }: ReapReport): Leftover[] {
  return [
    ...(pulls.objects ?? []).map(({ storage, path, size }) => item('pull link', `${storage}:${path}`, size)),
    ...(pulls.directories ?? []).map(({ storage, path }) => item('pull directory', `${storage}:${path}`)),
    ...(pulls.links ?? []).map(({ reqid }) => item('pull record', reqid)),
    ...[...(staging.sessions ?? []), ...(staging.leftovers ?? [])].map(({ session, stor, size }) =>
      item('staging', stor === undefined ? session : `${stor}:${session}`, size),
    ),
    ...(copies.placeholders ?? []).map(({ uuid, bytes }) => item('failed copy', uuid, bytes)),
    ...(copies.orders ?? []).map((order) => item('ended order', order)),
    ...(copies.links ?? []).map((path) => item('copy link', path)),
  ];
}

export function failuresOf({ pulls }: ReapReport): readonly ReapFailure[] {
  return pulls?.failed ?? [];
}

/** Bytes. */
export function sizeOf(found: readonly Leftover[]): number {
  return found.reduce((sum, { bytes }) => sum + (bytes?.count ?? 0), 0);
}

function item(what: string, name: string, bytes?: number): Leftover {
  return { what, name, ...(bytes !== undefined && { bytes: { count: bytes, words: formatBytes(bytes) } }) };
}
