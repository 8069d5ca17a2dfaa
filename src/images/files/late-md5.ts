/**
 * The MD5 of a large file, where the client announced none: it takes as long to compute as the other hashes together, and
 * nothing of the answer needs it. So it is left for after the answer. The record has none until then, and a note, made in
 * the same batch as the record gets the file, says that it is to come. Whoever needs it first, a reader of the file or the
 * task, computes it from the stored bytes. In the same way it is seen to it that a file is read that came by a link (`unread.ts`).
 */

import type { Bucket, Stored, WithStore, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { SessionHashes } from '#lib/objects/object-store.ts';
import { heeding } from '#lib/runtime/heeding.ts';
import type { Service } from '../../service/service.ts';
import { changeRecord, type Decision } from '../record/change.ts';
import { loadRaw } from '../record/load.ts';
import { followingMoves } from './following-moves.ts';
import { readUnread } from './read-unread.ts';
import { isUnread } from './unread.ts';

interface LateMd5 {
  readonly image: string;
  /** Which of the image's files. */
  readonly index: number;
  /** Which bytes: so no two notes are alike, and none is removed for another. */
  readonly sha1: string;
  readonly mtime: string | undefined;
}

/** Of files whose MD5 is still to be computed. */
export const LATE_MD5S: Bucket<LateMd5> = { name: 'imgapi_late_md5s', version: 1, index: {} };

/** Whether the MD5 of a file of this size is left for later; not of one whose size is not known. */
export function isMd5Late({ config }: Pick<Service, 'config'>, size: number | undefined): boolean {
  return size !== undefined && size >= config.uploads.lateMd5Bytes;
}

/** The field of a record. */
export function recordedMd5({ md5 }: Pick<SessionHashes, 'md5'>): { readonly contentMD5?: string } {
  return md5 === undefined ? {} : { contentMD5: md5 };
}

/** Belongs in the batch in which the image gets the file. */
export function noteLateMd5(image: string, index: number, { contentMD5, sha1, mtime }: FileRecord): Write[] {
  if (contentMD5 !== undefined) return [];
  return [{ op: 'put', bucket: LATE_MD5S, key: keyOf(image, index), value: { image, index, sha1, mtime } }];
}

function keyOf(image: string, index: number): string {
  return `${image}.${index}`;
}

/**
 * The MD5 of a file for a reader, who waits for it if it is still to come. Undefined if there will be none: of files that an
 * older IMGAPI stored, or if it cannot be computed now, as of damaged bytes.
 */
export async function md5OfFile(
  service: Service,
  { uuid, files }: ImageRecord,
  index: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const recorded = files?.[index]?.contentMD5;
  if (recorded !== undefined || !(await service.store.get(LATE_MD5S, keyOf(uuid, index)))) return recorded;
  try {
    return await heeding(complete(service, uuid, index), signal);
  } catch (error) {
    signal.throwIfAborted();
    service.log.warn({ err: error, image: uuid }, 'the MD5 of a file cannot be computed; it is served without');
    return undefined;
  }
}

/**
 * For whoever is to be given bytes: waits until a file that came by a link has been read. Returns whether it had not been: then
 * the record is to be asked again. @throws what the store does
 */
export async function readOnce(
  service: Service,
  record: ImageRecord,
  index: number,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isUnread(record, index)) return false;
  await heeding(complete(service, record.uuid, index), signal);
  return true;
}

/** Computes those that are missing; returns how many. */
export async function completeMd5s(service: Service, signal: AbortSignal): Promise<number> {
  let count = 0;
  for await (const notes of service.store.scan(LATE_MD5S, {}, { signal })) {
    for (const { value } of notes) {
      signal.throwIfAborted();
      try {
        await heeding(complete(service, value.image, value.index), signal);
        count += 1;
      } catch (error) {
        signal.throwIfAborted();
        // The others need not wait for a store that is down.
        service.log.warn({ err: error, image: value.image }, 'the MD5 of a file cannot be computed yet');
      }
    }
  }
  return count;
}

/** Those that this process computes now, so that many readers of one file wait for the same. */
const COMPUTING = new WeakMap<WithStore['store'], Map<string, Promise<string | undefined>>>();

function complete(service: Service, image: string, index: number): Promise<string | undefined> {
  const computing = COMPUTING.get(service.store) ?? new Map<string, Promise<string | undefined>>();
  COMPUTING.set(service.store, computing);
  const key = keyOf(image, index);
  const under = computing.get(key);
  if (under) return under;
  const begun = compute(service, image, index).finally(() => computing.delete(key));
  computing.set(key, begun);
  return begun;
}

/** @throws what the store does; then the note stays */
async function compute(service: Service, image: string, index: number): Promise<string | undefined> {
  const note = await service.store.get(LATE_MD5S, keyOf(image, index));
  const record = (await loadRaw(service, image))?.value;
  const file = record?.files?.[index];
  const isToRead = record !== undefined && isUnread(record, index);
  if (!record || !file || !(isToRead || (note && file.contentMD5 === undefined))) {
    if (note) await forget(service, note);
    return file?.contentMD5;
  }
  // Its bytes are being removed, and the note with the record.
  if (record.state === 'deleting' && !record.kept) return undefined;
  if (isToRead || !note) {
    return readUnread(service, record, index, [{ op: 'del', bucket: LATE_MD5S, key: keyOf(image, index) }]);
  }
  const { sha1, md5 } = await followingMoves(service, record, (current) => {
    const { stor } = current.files?.[index] ?? file;
    return service.storages.named(stor).md5(imageObjectPath(image, index === 0 ? 'file0' : 'file1'));
  });
  await service.faults.reach('late-hash:computed');
  if (sha1 === file.sha1) return put(service, note, md5);
  const found = { image, index, sha1, recorded: file.sha1 };
  service.log.warn(found, 'a file gets no MD5, because its bytes are not those of its record');
  // Unless it got another file meanwhile, as the note's etag shows. What the bytes are is for the pass over all files to find.
  await forget(service, note);
  return undefined;
}

/** Into the record, if that has the same file still; another one has a note of its own if it needs one. */
async function put(service: Service, { key, value }: Stored<LateMd5>, contentMD5: string): Promise<string | undefined> {
  let isSame = false;
  const add = (record: ImageRecord): Decision => {
    const { files = [] } = record;
    isSame = files[value.index]?.sha1 === value.sha1;
    if (!isSame) return undefined;
    const completed = files.map((file, at) => (at === value.index ? { ...file, contentMD5 } : file));
    return { record: { ...record, files: completed }, also: [{ op: 'del', bucket: LATE_MD5S, key }] };
  };
  await changeRecord(service, value.image, add, { evenDeleted: true });
  return isSame ? contentMD5 : undefined;
}

async function forget({ store }: WithStore, { key, etag }: Stored<LateMd5>): Promise<void> {
  await unlessChanged(store.batch([{ op: 'del', bucket: LATE_MD5S, key, ifEtag: etag }]));
}
