import type { Write } from '#lib/documents/store.ts';
import type { FileRecord } from '#lib/manifest/record.ts';
import { noteFileHash } from './file-hashes.ts';
import { noteLateMd5 } from './late-md5.ts';

/** What is noted of a file beside its record. Belongs in the batch in which the image gets the file. */
export function fileNotes(image: string, index: number, file: FileRecord): Write[] {
  return [...noteFileHash(image, index, file), ...noteLateMd5(image, index, file)];
}
