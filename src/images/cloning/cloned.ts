/**
 * Notes which of an account's images is its clone of which other image, so that a shared origin is cloned once and used
 * by all clones that build on it. The notes are only hints: each is checked against the image, and overwritten when it
 * is wrong. If two concurrent clones need the same origin, the later one uses the earlier one's clone of it.
 */
import type { Bucket, Write } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { isOwner } from '../record/access.ts';
import { loadImage, type Records } from '../record/load.ts';

interface Cloned {
  /** UUID of the clone; new each time, so that no etag comes back. */
  readonly clone: string;
}

export const CLONED: Bucket<Cloned> = { name: 'imgapi_cloned', version: 1, index: {} };

export interface ClonedBefore {
  /** UUID of a usable clone that the account has; absent when there is none. */
  readonly clone?: string;
  /** Etag of the note; null when there is none. */
  readonly etag: string | null;
}

export async function clonedBefore(service: Records, account: string, image: ImageRecord): Promise<ClonedBefore> {
  const note = await service.store.get(CLONED, keyOf(account, image.uuid));
  if (!note) return { etag: null };
  const clone = (await loadImage(service, note.value.clone))?.value;
  const isUsable = clone && isOwner(clone, account) && clone.activated && clone.cloned_from?.uuid === image.uuid;
  const hasSameFile = clone?.files?.length === 1 && clone.files[0]?.sha1 === image.files?.[0]?.sha1;
  return { etag: note.etag, ...(clone && isUsable && hasSameFile && { clone: clone.uuid }) };
}

/** Belongs in the batch that creates the clone. */
export function noteClone(account: string, image: string, clone: string, ifEtag: string | null): Write {
  return { op: 'put', bucket: CLONED, key: keyOf(account, image), value: { clone }, ifEtag };
}

/** Belongs in the batch that deletes an image: drops the note that it is a clone, if there is one. */
export async function forgetClone(service: Records, { uuid, owner, cloned_from }: ImageRecord): Promise<Write[]> {
  if (!cloned_from || owner === undefined) return [];
  const key = keyOf(owner, cloned_from.uuid);
  const note = await service.store.get(CLONED, key);
  return note?.value.clone === uuid ? [{ op: 'del', bucket: CLONED, key, ifEtag: note.etag }] : [];
}

/** Belongs in the batch that restores a deleted image: the note again, unless the account has cloned that image anew. */
export async function rememberClone(service: Records, { uuid, owner, cloned_from }: ImageRecord): Promise<Write[]> {
  if (!cloned_from || owner === undefined) return [];
  const note = await service.store.get(CLONED, keyOf(owner, cloned_from.uuid));
  return note ? [] : [noteClone(owner, cloned_from.uuid, uuid, null)];
}

function keyOf(account: string, image: string): string {
  return `${account}.${image}`;
}
