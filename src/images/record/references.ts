/**
 * Following a UUID, from a request or from another image, to the image. An image that the caller may not see is answered
 * exactly like one that does not exist.
 */

import { imageNotFound } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { type Relation, relationTo, type Viewer } from './access.ts';
import { loadImage, type Records, type StoredImage } from './load.ts';
import { isOpenedByShare } from './opened.ts';
import { isOriginOfVisible } from './opened-origin.ts';

/** What the viewer is to the image, including what other images that are shared with the viewer open. */
export async function relationOf(service: Records, record: ImageRecord, viewer: Viewer): Promise<Relation> {
  const relation = relationTo(record, viewer);
  if (relation !== 'none') return relation;
  if (viewer.anonymous) return (await isOriginOfVisible(service, record, viewer)) ? 'reader' : 'none';
  if (!mayBeOpened(record, viewer)) return 'none';
  return (await isOpenedByShare(service, record, viewer.account)) ? 'reader' : 'none';
}

/** The same for an image's origin, when the viewer's relation to the image is already known. */
export async function relationToOrigin(
  service: Records,
  image: { readonly record: ImageRecord; readonly relation: Relation },
  origin: ImageRecord,
  viewer: Viewer,
): Promise<Relation> {
  const opens = image.relation === 'sharee' || image.relation === 'reader';
  const isSameOwners = origin.owner !== undefined && origin.owner === image.record.owner;
  const relation = relationTo(origin, viewer);
  if (relation === 'none' && opens && isSameOwners && mayBeOpened(origin, viewer)) return 'reader';
  return relationOf(service, origin, viewer);
}

/**
 * What a viewer who may see the image is to it.
 * @param channel the only channel to look in; absent: all channels
 * @throws 404 when the viewer may not see the image, or it is not in that channel
 */
export async function assertVisible(
  service: Records,
  record: ImageRecord,
  { viewer, channel }: { readonly viewer: Viewer; readonly channel?: string | undefined },
): Promise<Exclude<Relation, 'none'>> {
  if (channel !== undefined && !record.channels?.includes(channel)) throw imageNotFound(record.uuid);
  const relation = await relationOf(service, record, viewer);
  if (relation === 'none') throw imageNotFound(record.uuid);
  return relation;
}

/** Whether the viewer sees the image and new images can build on it; placeholders do not qualify. */
export async function isUsableTo(service: Records, record: ImageRecord, viewer: Viewer): Promise<boolean> {
  return record.activated && !record.copy && (await relationOf(service, record, viewer)) !== 'none';
}

/** The image, if there is one that the viewer sees. */
export async function findVisible(service: Records, uuid: string, viewer: Viewer): Promise<StoredImage | undefined> {
  const stored = await loadImage(service, uuid);
  return stored && (await relationOf(service, stored.value, viewer)) !== 'none' ? stored : undefined;
}

function mayBeOpened(record: ImageRecord, viewer: Viewer): viewer is Viewer & { readonly account: string } {
  return record.state !== 'deleting' && record.activated && !viewer.anonymous && viewer.account !== undefined;
}
