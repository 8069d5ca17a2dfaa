/**
 * What a share opens beyond the image itself. An image's bytes are useless without those that it builds on, so a sharee
 * may also read its origins, down the chain for as long as they belong to the same owner. An image never opens somebody
 * else's origin.
 *
 * The question comes up only for an image that the account cannot see otherwise. It is answered from the images that
 * build on it, which are usually few; where the owner built a great many, from the images that are shared with the
 * account. Either search looks at a bounded number of images, so that nobody can slow others down with it.
 */
import type { Filter } from '#lib/documents/store.ts';
import { isGranted } from '#lib/manifest/acl.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { type Records, servedImages } from './load.ts';

/** Bound of either search. */
const MOST_IMAGES = 500;

/** Whether an image that is shared with the account builds on this one, with nobody else's images in between. */
export async function isOpenedByShare(service: Records, record: ImageRecord, account: string): Promise<boolean> {
  if (!record.activated || record.owner === undefined) return false;
  const { uuid, owner } = record;
  return (await isBelowShared(service, uuid, owner, account)) ?? isInSharedChain(service, uuid, owner, account);
}

/** Searches upwards from the image. Undefined when too many images build on it. */
async function isBelowShared(
  service: Records,
  uuid: string,
  owner: string,
  account: string,
): Promise<boolean | undefined> {
  const seen = new Set([uuid]);
  let left = MOST_IMAGES;
  for (let level = [uuid]; level.length > 0; ) {
    const filter = and(usable(owner), { op: 'in', field: 'origin', values: level });
    const found = await service.store.find(IMAGES, { filter, limit: left + 1 });
    if (servedImages(service, found).some(({ value }) => isGranted(value, account))) return true;
    if (found.length > left) return undefined;
    left -= found.length;
    level = found.map(({ key }) => key).filter((key) => !seen.has(key) && seen.add(key));
  }
  return false;
}

/** Searches downwards from the images that are shared with the account. */
async function isInSharedChain(service: Records, uuid: string, owner: string, account: string): Promise<boolean> {
  const seen = new Set<string>();
  let level: string[] = [];
  for (const field of ['acl', 'grants']) {
    const shared: Filter = { op: 'contains', field, value: account };
    const filter = and(usable(owner), shared, { op: 'exists', field: 'origin' });
    const found = await service.store.find(IMAGES, { filter, limit: MOST_IMAGES });
    level.push(...originsOf(servedImages(service, found)));
  }
  while (level.length > 0 && seen.size < MOST_IMAGES) {
    if (level.includes(uuid)) return true;
    const fresh = [...new Set(level)].filter((key) => !seen.has(key)).slice(0, MOST_IMAGES - seen.size);
    for (const key of fresh) seen.add(key);
    const found = await service.store.getMany(IMAGES, fresh);
    level = originsOf(servedImages(service, found).filter(({ value }) => value.owner === owner && value.activated));
  }
  return false;
}

function originsOf(images: readonly { readonly value: ImageRecord }[]): string[] {
  return images.flatMap(({ value }) => value.origin ?? []);
}

function usable(owner: string): Filter {
  return and({ op: 'eq', field: 'owner', value: owner }, { op: 'eq', field: 'activated', value: true });
}

function and(...of: readonly Filter[]): Filter {
  return { op: 'and', of };
}
