/**
 * Before its activation an image may get another file at any moment, under the same name. Who opens the one that the record
 * named a moment ago may have the bytes of the other, cut to the size of the first, or be told that it is damaged.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { loadRaw } from '../record/load.ts';
import { followingMoves } from './following-moves.ts';

/**
 * Opens a file by its record. @throws 409 ImageFileBusy if another one took its place meanwhile; 404; what `open` throws for
 * one that nobody touches
 */
export async function openingFile<T extends { readonly stream?: { destroy(): unknown } | undefined }>(
  service: Service,
  record: ImageRecord,
  index: number,
  open: (record: ImageRecord) => Promise<T>,
): Promise<T> {
  const opening = followingMoves(service, record, open);
  if (record.activated) return opening;
  const outcome = await opening.then(
    (opened) => ({ opened }),
    (error: unknown) => ({ error }),
  );
  try {
    await assertSame(service, record, index);
  } catch (error) {
    if ('opened' in outcome) outcome.opened.stream?.destroy();
    throw error;
  }
  if ('error' in outcome) throw outcome.error;
  return outcome.opened;
}

async function assertSame(service: Service, { uuid, files }: ImageRecord, index: number): Promise<void> {
  const now = (await loadRaw(service, uuid))?.value;
  const file = files?.[index];
  if (!now || (now.files?.[index]?.sha1 === file?.sha1 && !isBeingReplaced(now, index, file))) return;
  throw new ApiError('ImageFileBusy', `another file took the place of that of image "${uuid}" right now; try again`);
}

/** The same bytes, or those in another store, disturb nobody. */
function isBeingReplaced({ intent }: ImageRecord, index: number, file: FileRecord | undefined): boolean {
  if (intent?.kind !== 'file' || (intent.index ?? 0) !== index) return false;
  return intent.file.stor === file?.stor && intent.sha1 !== file.sha1;
}
