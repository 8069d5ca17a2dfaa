/**
 * Marks of files that nobody has read since they got their bytes by a link within one store: what takes a moment is not held up
 * by reading them for minutes. They are read right after, by whoever needs them first (`late-hashes.ts`); until then nobody is
 * given them, and the record has their hashes only by the word of whoever had them before.
 */
import type { ImageRecord } from '#lib/manifest/record.ts';

export function isUnread({ unread }: ImageRecord, index: number): boolean {
  return unread?.includes(index) ?? false;
}

export function withUnread(record: ImageRecord, index: number): ImageRecord {
  return { ...record, unread: [...(record.unread ?? []).filter((one) => one !== index), index] };
}

export function withoutUnread(record: ImageRecord, index: number): ImageRecord {
  if (!isUnread(record, index)) return record;
  const { unread = [], ...rest } = record;
  const left = unread.filter((one) => one !== index);
  return left.length > 0 ? { ...rest, unread: left } : rest;
}
