/**
 * The images that build on an image, as far as a viewer sees them in lists. The search goes up by what is visible alone: an
 * image on top of one that is hidden does not tell that the hidden one is there.
 */
import type { Filter } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { listedFilter } from './list.ts';
import { relationTo, type Viewer } from './record/access.ts';
import { type Records, servedImages } from './record/load.ts';

export interface Derived {
  /** Those that build on it directly first. */
  readonly images: readonly ImageRecord[];
  /** False when there are more than one answer holds. */
  readonly isComplete: boolean;
}

/** Of one answer. */
const MOST_IMAGES = 1000;
/** How many UUIDs one question to the store names. */
const MOST_ORIGINS = 100;

/** @param channel absent: in any channel */
export async function derivedImages(
  service: Records,
  viewer: Viewer,
  {
    uuid,
    channel,
    signal,
  }: { readonly uuid: string; readonly channel: string | undefined; readonly signal: AbortSignal },
): Promise<Derived> {
  const images: ImageRecord[] = [];
  const known = new Set([uuid]);
  const waiting = [uuid];
  while (waiting.length > 0) {
    const filter: Filter = {
      op: 'and',
      of: [
        { op: 'in', field: 'origin', values: waiting.splice(0, MOST_ORIGINS) },
        listedFilter(viewer),
        ...(channel === undefined ? [] : [{ op: 'contains', field: 'channels', value: channel } as const]),
      ],
    };
    const room = MOST_IMAGES - images.length;
    const found = await service.store.find(IMAGES, { filter, limit: room + 1 }, { signal });
    for (const { value } of servedImages(service, found.slice(0, room))) {
      if (known.has(value.uuid) || relationTo(value, viewer) === 'none') continue;
      known.add(value.uuid);
      images.push(value);
      waiting.push(value.uuid);
    }
    if (found.length > room) return { images, isComplete: false };
  }
  return { images, isComplete: true };
}
