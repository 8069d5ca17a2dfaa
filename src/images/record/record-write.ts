/**
 * Image records as part of a larger batch. Each write increments `rev`, so an etag never comes back. A single record is
 * written through the door (`change.ts`).
 */
import type { Write } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored } from '#lib/manifest/stored.ts';
import type { Viewer } from './access.ts';
import type { Records } from './load.ts';
import { originDoesNotExist } from './origins.ts';
import { relationOf } from './references.ts';

/** `ifEtag`: the etag that the record was read with; null when it must not exist yet. */
export function putRecord(record: ImageRecord, ifEtag: string | null): Write {
  return {
    op: 'put',
    bucket: IMAGES,
    key: record.uuid,
    value: counted(record),
    ifEtag,
  };
}

/** For tombstones only. @param ifEtag the etag that the record was read with */
export function dropRecord(uuid: string, ifEtag: string): Write {
  return { op: 'del', bucket: IMAGES, key: uuid, ifEtag };
}

export function counted(record: ImageRecord): ImageRecord {
  return { ...record, rev: (record.rev ?? 0) + 1 };
}

/**
 * Belongs in the batch that creates a record with an origin. It bumps the origin's revision, so that "add a child"
 * conflicts with "delete the origin" and with "unshare the origin". @throws 422 OriginDoesNotExist
 */
export async function touchOrigin(service: Records, origin: string, viewer: Viewer): Promise<Write> {
  const stored = await service.store.get(IMAGES, origin);
  const relation = stored && (await relationOf(service, normalizeStored(stored.value), viewer));
  if (!stored || relation === 'none') throw originDoesNotExist(origin);
  return putRecord(stored.value, stored.etag);
}
