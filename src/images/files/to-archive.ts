/**
 * Which images are to be archived: each has a note. It is made in the very batch that writes the image, whoever writes it, so
 * that nobody has to look at all images to find the few that have changed.
 */

import type { Bucket, Write } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { newUuid } from '#lib/text/uuid.ts';

interface ToArchive {
  /** No two notes are alike, so none is removed for another. */
  readonly id: string;
}

export const TO_ARCHIVE: Bucket<ToArchive> = { name: 'imgapi_to_archive', version: 1, index: {} };

/** What is written along with a write of any bucket. */
export function archiveNotes({ op, bucket, key }: Write): readonly Write[] {
  if (bucket.name !== IMAGES.name) return [];
  return [op === 'put' ? noteToArchive(key) : { op: 'del', bucket: TO_ARCHIVE, key }];
}

export function noteToArchive(image: string): Write {
  const value: ToArchive = { id: newUuid() };
  return { op: 'put', bucket: TO_ARCHIVE, key: image, value };
}
