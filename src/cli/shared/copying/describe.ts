/** The words and numbers in which copies are told. */

import type { CopyImageStatus, CopyStatus } from '#lib/api/schemas/copy.ts';
import { counted } from '../../output/counted.ts';
import { printable } from '../../output/printable.ts';

export type CopyPart = CopyStatus | CopyImageStatus;

/** Whole percent, rounded down; 100 only once it is usable, not when the last byte came. */
export function percentOf({ state, bytes_done: done, bytes_total: total }: CopyPart): number {
  if (state === 'succeeded') return 100;
  return total > 0 ? Math.max(0, Math.min(99, Math.floor((done / total) * 100))) : 0;
}

/** Seconds; undefined while nothing flows. */
export function etaOf(part: CopyPart): number | undefined {
  if ('eta' in part && part.eta !== undefined) return part.eta;
  const left = part.bytes_total - part.bytes_done;
  return part.rate > 0 && left > 0 ? left / part.rate : undefined;
}

/** `0965c1f4 my-image@1.0.0` */
export function labelOf({ uuid, name, version }: { uuid: string; name: string; version: string }): string {
  return printable(`${uuid.slice(0, 8)} ${name}@${version}`);
}

/** The image that was asked for: its chain's last. */
export function askedImage<Image extends { readonly uuid: string }>({
  image_uuid: uuid,
  images,
}: {
  readonly image_uuid: string;
  readonly images: readonly Image[];
}): Image | undefined {
  return images.find((image) => image.uuid === uuid) ?? images.at(-1);
}

export function imageCount(count: number): string {
  return counted(count, 'image');
}
