/**
 * A deleted image that can still be restored: a tombstone like any other to all who look for an image, which has in itself
 * what the image was. Its bytes lie where they lay, and the tombstone names them, so that they can be moved, verified and
 * counted. Whoever ends that, to restore the image or to remove it for good, replaces the very tombstone that it has read;
 * so of several only one can.
 */
import type { ImageRecord, KeptImage } from '#lib/manifest/record.ts';
import type { Service } from '../../service/service.ts';
import { mayChange, type Viewer } from '../record/access.ts';
import { loadRaw, type StoredImage } from '../record/load.ts';
import { tombstone } from '../record/tombstones.ts';

/** A stored tombstone with the image that it keeps. */
export interface Deleted {
  readonly stored: StoredImage;
  readonly kept: KeptImage;
}

/** Whether this image can be restored when it is deleted. What was never activated is still somebody's work under way. */
export function isWorthKeeping({ config }: Pick<Service, 'config'>, { activated }: ImageRecord): boolean {
  return activated && config.images.keepDeletedSeconds > 0;
}

/** What remains of the record. @param lacksOrigin whether its origin is not here */
export function keptTombstone(
  { store, config }: Pick<Service, 'store' | 'config'>,
  record: ImageRecord,
  { archive, lacksOrigin }: { readonly archive: ImageRecord['archive']; readonly lacksOrigin: boolean },
): ImageRecord {
  const now = store.now();
  const { files: _, icon: __, intent: ___, intent_lease: ____, ...rest } = record;
  return {
    ...tombstone(record, archive),
    expires_at: new Date(now + config.images.keepDeletedSeconds * 1000).toISOString(),
    kept: {
      deleted_at: new Date(now).toISOString(),
      record: rest,
      ...(lacksOrigin && { lacks_origin: true }),
    },
  };
}

/** The image as it was. An intent that nobody holds, because its process was refused or died, is settled at once. */
export function restoredRecord({ stored, kept }: Deleted, now: number): ImageRecord {
  const { files, icon, intent, intent_lease: lease, rev } = stored.value;
  return {
    ...kept.record,
    ...(files && { files }),
    ...(icon && { icon }),
    ...(intent && { intent, intent_lease: lease ?? new Date(now).toISOString() }),
    ...(rev !== undefined && { rev }),
  };
}

/** The tombstone as one that anybody finishes. */
export function unkept({ kept: _, expires_at: __, intent_lease: ___, ...rest }: ImageRecord): ImageRecord {
  return rest;
}

/** The deleted image, if the caller may restore it. */
export async function findDeleted(service: Service, uuid: string, viewer: Viewer): Promise<Deleted | undefined> {
  const stored = await loadRaw(service, uuid);
  const deleted = stored && deletedOf(stored);
  return deleted && mayChange(deleted.kept.record, viewer) ? deleted : undefined;
}

export function deletedOf(stored: StoredImage): Deleted | undefined {
  const { kept } = stored.value;
  return kept && { stored, kept };
}
