/**
 * What an active image opens to those who do not sign: the disabled images that it builds on. A client of a public or
 * private server that installs an image needs its origins as well, and asks for them by UUID; lists do not show them.
 */
import type { Filter } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { relationTo, type Viewer } from './access.ts';
import { type Records, servedImages } from './load.ts';

/** Bound of the search, so that nobody can slow others down with it. */
const MOST_IMAGES = 500;

/** Whether an image that the viewer sees builds on this one, with only disabled images in between. */
export async function isOriginOfVisible(service: Records, record: ImageRecord, viewer: Viewer): Promise<boolean> {
  if (record.state === 'deleting' || !record.activated) return false;
  const seen = new Set([record.uuid]);
  for (let level = [record.uuid]; level.length > 0 && seen.size < MOST_IMAGES; ) {
    const found = await service.store.find(IMAGES, { filter: buildingOn(level), limit: MOST_IMAGES });
    const images = servedImages(service, found);
    if (images.some(({ value }) => relationTo(value, viewer) !== 'none')) return true;
    level = images.map(({ key }) => key).filter((key) => !seen.has(key) && seen.add(key));
  }
  return false;
}

function buildingOn(origins: readonly string[]): Filter {
  const isOrigin: Filter = { op: 'in', field: 'origin', values: origins };
  return { op: 'and', of: [isOrigin, { op: 'eq', field: 'activated', value: true }] };
}
