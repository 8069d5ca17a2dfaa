/** Deprecated images: still there and usable, but their owner advises against them, and may name another one instead. */
import { validationFailed } from '#lib/api/errors/api-error.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { relationTo, type Viewer } from './access.ts';
import { type Records, type StoredImage, servedImages } from './load.ts';
import { findVisible } from './references.ts';

/** @param now milliseconds since the epoch */
export function isDeprecated({ deprecated_at: at }: ImageRecord, now: number): boolean {
  return at !== undefined && Date.parse(at) <= now;
}

/** The images, by UUID, that replace those and that the viewer may see. */
export async function visibleReplacements(
  service: Records,
  viewer: Viewer,
  images: readonly StoredImage[],
): Promise<ReadonlySet<string>> {
  const named = new Set(images.flatMap(({ value }) => value.replaced_by ?? []));
  if (named.size === 0) return named;
  const found = servedImages(service, await service.store.getMany(IMAGES, [...named]));
  return new Set(found.flatMap(({ key, value }) => (relationTo(value, viewer) === 'none' ? [] : [key])));
}

/** Whether the account may see the image that replaces this one. */
export async function showsReplacementTo(
  service: Records,
  { replaced_by: by }: ImageRecord,
  account: string | undefined,
): Promise<boolean> {
  return by !== undefined && (await findVisible(service, by, { account })) !== undefined;
}

/** The record without a replacement if it is not deprecated any more. @param changes what was asked for */
export function withDeprecationSettled(record: ImageRecord, changes: Readonly<Record<string, unknown>>): ImageRecord {
  if (record.deprecated_at !== undefined || changes['replaced_by'] !== undefined) return record;
  const { replaced_by: _, ...rest } = record;
  return rest;
}

/** What cannot be a UUID is left to manifest validation. @throws 422 ValidationFailed replaced_by */
export async function assertReplacementVisible(service: Records, viewer: Viewer, replacedBy: unknown): Promise<void> {
  if (!isUuid(replacedBy) || (await findVisible(service, replacedBy, viewer))) return;
  throw validationFailed('replaced_by', `replaced_by is "${replacedBy}", and there is no such image`);
}
