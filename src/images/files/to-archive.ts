/**
 * Which images are to be archived: each has a note. It is made in the very batch that writes the image, whoever writes it, so
 * that nobody has to look at all images to find the few that have changed.
 */

import type { Bucket, WithStore, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { newUuid } from '#lib/text/uuid.ts';

type Manifest = ImageRecord['archive'];

export interface ToArchive {
  /** No two notes are alike, so none is removed for another. */
  readonly id: string;
  /** Of an image that is no more: its last manifest. */
  readonly manifest?: Manifest;
}

export const TO_ARCHIVE: Bucket<ToArchive> = { name: 'imgapi_to_archive', version: 1, index: {} };

/** What is written along with a write of any bucket. What a tombstone is archived as stands in itself. */
export function archiveNotes(write: Write): readonly Write[] {
  if (write.op !== 'put' || write.bucket.name !== IMAGES.name) return [];
  const record = write.value as ImageRecord;
  return record.state === 'deleting' || isNoImageYet(record) ? [] : [noteToArchive(write.key)];
}

/** The copy may come to nothing, and another image may have been there before. */
export function isNoImageYet({ copy }: ImageRecord): boolean {
  return copy !== undefined;
}

function noteToArchive(image: string, manifest?: Manifest): Extract<Write, { op: 'put' }> {
  const value: ToArchive = { id: newUuid(), ...(manifest && { manifest }) };
  return { op: 'put', bucket: TO_ARCHIVE, key: image, value };
}

/**
 * For who finds the archive behind, or cannot know who wrote into it last. A note that is there stays, as it may hold the last
 * manifest. Returns whether there was none.
 */
export function noteUnlessNoted({ store }: WithStore, image: string): Promise<boolean> {
  return unlessChanged(store.batch([{ ...noteToArchive(image), ifEtag: null }]));
}

/**
 * Belongs in the batch that ends a deletion, after its manifest is archived. Where there is a note, a run may be about to write an
 * older manifest: the last one is archived once more then, after it.
 */
export async function lastNote({ store }: WithStore, image: string, manifest: Manifest): Promise<Write[]> {
  return manifest && (await store.get(TO_ARCHIVE, image)) ? [noteToArchive(image, manifest)] : [];
}
