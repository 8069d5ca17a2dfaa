/** The only ways an image record is written: each one counts up `rev`, so that an etag never comes back. */
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { Write } from '#lib/moray/store.ts';
import { ApiError } from '../errors/api-error.ts';
import type { Service } from '../service.ts';

/** `ifEtag`: the etag that the record was read with; null when it must not exist yet. */
export function putRecord(record: ImageRecord, ifEtag: string | null): Write {
  return {
    op: 'put',
    bucket: IMAGES,
    key: record.uuid,
    value: { ...record, rev: (record.rev ?? 0) + 1 },
    ifEtag,
  };
}

/**
 * Goes into the batch that creates a record with an origin: it bumps the origin's revision, so that "delete the
 * origin" and "add a child" cannot both win. @throws 422 OriginDoesNotExist
 */
export async function touchOrigin(service: Service, origin: string): Promise<Write> {
  const stored = await service.store.get(IMAGES, origin);
  if (!stored || stored.value.state === 'deleting') {
    throw new ApiError('OriginDoesNotExist', `origin image "${origin}" does not exist`);
  }
  return putRecord(stored.value, stored.etag);
}
