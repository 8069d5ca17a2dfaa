/** The deleted images that can still be restored, in the order in which they go. */
import { imageNotFound } from '#lib/api/errors/api-error.ts';
import type { DeletedImage } from '#lib/api/schemas/deleted-image.ts';
import type { Filter, Query } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';
import { Turn } from '#lib/runtime/turns.ts';
import type { Service } from '../../service/service.ts';
import { normalized } from '../record/load.ts';
import { IS_KEPT, IS_TOMBSTONE } from '../record/tombstones.ts';
import { type Deleted, deletedOf, findDeleted } from './kept.ts';

export interface DeletedListRequest {
  /** Only its own; absent: all, for an operator. */
  readonly account: string | undefined;
  readonly limit: number;
  /** UUID of a deleted image: only what comes after it. */
  readonly marker?: string | undefined;
}

/** @throws 404 for a marker that is no deleted image of the caller's */
export async function listDeleted(
  service: Service,
  { account, limit, marker }: DeletedListRequest,
  signal: AbortSignal,
): Promise<DeletedImage[]> {
  const own: Filter[] = account === undefined ? [] : [{ op: 'eq', field: 'owner', value: account }];
  const query: Query = {
    filter: { op: 'and', of: [IS_TOMBSTONE, IS_KEPT, ...own] },
    sort: { field: 'expires_at', order: 'asc' },
    limit,
    ...(marker !== undefined && { after: await placeOf(service, marker, account) }),
  };
  const images: DeletedImage[] = [];
  const turn = new Turn();
  for await (const found of service.store.scan(IMAGES, query, { signal })) {
    for (const one of found) {
      if (turn.isOver) await turn.next();
      const deleted = deletedOf(normalized(one));
      if (deleted) images.push(shown(deleted));
    }
  }
  return images;
}

async function placeOf(
  service: Service,
  marker: string,
  account: string | undefined,
): Promise<NonNullable<Query['after']>> {
  const deleted = await findDeleted(service, marker, { account });
  if (!deleted) throw imageNotFound(marker);
  return { value: deleted.stored.value.expires_at ?? null, key: marker };
}

function shown({ stored, kept }: Deleted): DeletedImage {
  const { uuid, name, version, owner, type, os, files = [], icon, expires_at: goes = kept.deleted_at } = stored.value;
  const { origin } = kept.record;
  return {
    ...{ uuid, name, version },
    ...(owner !== undefined && { owner }),
    ...(type !== 'null' && { type }),
    ...(os !== 'null' && { os }),
    ...(origin !== undefined && { origin }),
    size: [...files, ...(icon ? [icon] : [])].reduce((sum, { size }) => sum + size, 0),
    deleted_at: kept.deleted_at,
    goes_at: goes,
  };
}
