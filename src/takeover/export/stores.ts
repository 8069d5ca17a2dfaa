import type { ImageRecord } from '#lib/manifest/record.ts';

/** Those that today's IMGAPI has. */
const TODAYS: ReadonlySet<string> = new Set(['local', 'manta']);

/** A store with bytes of the image that today's IMGAPI does not have. */
export function storOf({ files = [], icon }: Pick<ImageRecord, 'files' | 'icon'>): string | undefined {
  return [...files, ...(icon ? [icon] : [])].find(({ stor }) => !TODAYS.has(stor))?.stor;
}
