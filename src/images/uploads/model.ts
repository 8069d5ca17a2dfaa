/**
 * Uploads that survive their connection: one for each image that waits for its file. The document says which bytes are to
 * come, how many of them are safe, and where they are staged; whoever appends does so under a lease, and as an attempt of
 * his own, so that an earlier one that wakes up finds its session taken over.
 */
import type { Lease } from '#lib/documents/lease.ts';
import type { Bucket, WithStore } from '#lib/documents/store.ts';
import type { Compression } from '#lib/manifest/record.ts';

/** Stored under the image's UUID. */
export interface UploadDocument {
  readonly image: string;
  readonly id: string;
  /** Of the image, when the upload began. */
  readonly owner?: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Lower-case hex, of the file. */
  readonly sha1: string;
  readonly compression: Compression;
  readonly dataset_guid?: string;
  readonly stor: string;
  /** Bytes that are durable in `staged`. */
  readonly offset: number;
  /** The write session that has them; absent: none yet. */
  readonly staged?: string;
  /** Counts the requests that brought bytes. */
  readonly attempt: number;
  /** Of the request that brings bytes right now. */
  readonly lease?: Lease;
  readonly created_at: string;
  /** When the last bytes came, in milliseconds since the epoch. */
  readonly touched: number;
  /** Counts the writes. */
  readonly rev: number;
}

export const UPLOAD_SESSIONS: Bucket<UploadDocument> = {
  name: 'imgapi_upload_sessions',
  version: 1,
  index: { touched: { type: 'number' } },
};

/** What the names of all its write sessions begin with. */
export function prefixOf({ image, id }: Pick<UploadDocument, 'image' | 'id'>): string {
  return `upload.${image}.file0.${id}.`;
}

/** The write session of an attempt; no two attempts ever share one. */
export function sessionOf(upload: Pick<UploadDocument, 'image' | 'id'>, attempt: number): string {
  return `${prefixOf(upload)}${attempt}`;
}

/** All that may be staged for an upload. */
export function sessionsOf(upload: UploadDocument): string[] {
  const { attempt, staged } = upload;
  return [
    sessionOf(upload, attempt),
    // In case a claim is being written at this moment.
    sessionOf(upload, attempt + 1),
    ...(staged === undefined ? [] : [staged]),
  ];
}

/** Those of `among` that some upload still needs. */
export async function sessionsOfUploads({ store }: WithStore, among: ReadonlySet<string>): Promise<Set<string>> {
  const needed = new Set<string>();
  for await (const found of store.scan(UPLOAD_SESSIONS, {})) {
    for (const { value } of found) for (const session of sessionsOf(value)) if (among.has(session)) needed.add(session);
  }
  return needed;
}
