/**
 * What of an account's images counts towards its quota: read from the records each time, so that nothing can be left
 * counted, or uncounted, by a process that died.
 */
import type { Filter, WithStore } from '#lib/documents/store.ts';
import { type FileRecord, IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored } from '#lib/manifest/stored.ts';

export interface Usage {
  readonly images: number;
  /** Of files and icons, as they are stored. */
  readonly bytes: number;
}

export const NOTHING: Usage = { images: 0, bytes: 0 };

/** A deleted image counts as long as it can be restored; one that is on its way out does not. */
export function usageOf(record: ImageRecord): Usage {
  if (record.state === 'deleting' && !record.kept) return NOTHING;
  // Whatever becomes of a placement, or of a copy: the larger of what is and of what may soon be.
  return { images: 1, bytes: Math.max(storedBytes(record), intendedBytes(record), record.copy?.size ?? 0) };
}

/** All that the account has. @throws StoreUnavailableError */
export async function usedBy({ store }: WithStore, account: string): Promise<Usage> {
  const filter: Filter = { op: 'eq', field: 'owner', value: account };
  let total = NOTHING;
  for await (const found of store.scan(IMAGES, { filter })) {
    for (const { value } of found) total = plus(total, usageOf(normalizeStored(value)));
  }
  return total;
}

export function plus(a: Usage, b: Usage): Usage {
  return { images: a.images + b.images, bytes: a.bytes + b.bytes };
}

function storedBytes({ files, icon }: ImageRecord): number {
  return bytesOfFiles(files) + (icon?.size ?? 0);
}

function intendedBytes({ files, icon, intent }: ImageRecord): number {
  if (!intent) return 0;
  if (intent.kind === 'icon') return bytesOfFiles(files) + intent.size;
  const { index } = intent;
  // The file becomes the only one, or comes behind those that there are, or is one of them in another place.
  const others = index === undefined || !Array.isArray(files) ? [] : files.filter((_, i) => i !== index);
  return bytesOfFiles(others) + intent.size + (icon?.size ?? 0);
}

/** A record that is no valid image has to be counted too: operators delete it. */
export function bytesOfFiles(files: unknown): number {
  if (!Array.isArray(files)) return 0;
  return files.reduce<number>((total, file: Partial<FileRecord> | null) => total + (Number(file?.size) || 0), 0);
}
