/** What an import remembers of each image, so that the next one can tell what was changed since, and where. */
import type { Bucket, Write } from '#lib/documents/store.ts';

export interface ImportNote {
  /** How the record looked that was taken, as `likenessOf` says. */
  readonly likeness: string;
  /** The bytes are not all in place yet: the record here is what the import began with. */
  readonly isBegun: boolean;
  /** ISO date. */
  readonly at: string;
}

/** Keyed by the image's UUID. */
export const IMPORTED: Bucket<ImportNote> = { name: 'imgapi_imported', version: 1, index: {} };

export function putNote(uuid: string, note: ImportNote): Write {
  return { op: 'put', bucket: IMPORTED, key: uuid, value: note };
}
