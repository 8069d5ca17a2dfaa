/**
 * Chains of origins, and images that are their own origin, be it by way of others. None may come to be, or a chain would have no end; and where
 * there is one, from an older service or by two writes at the same moment, it must not keep its members from being
 * deleted.
 */

import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';

/** Members of a chain, at the most. */
export const LONGEST_CHAIN = 100;

/**
 * Refuses an origin that leads back to one of the images that are to build on it, or whose own chain has no end.
 * @throws 422 ValidationFailed origin, 422 OriginChainTooLong
 */
export async function assertNoCycle(service: WithStore, images: readonly string[], origin: string): Promise<void> {
  if (images.length === 1 && images[0] === origin) {
    throw validationFailed('origin', `origin is "${origin}", the image itself; an image cannot be its own origin`);
  }
  const { chain, isEndless } = await chainFrom(service, origin);
  if (!isEndless && !chain.some((uuid) => images.includes(uuid))) return;
  // Only the origin that was named is told: whoever asks may not see the others.
  throw new ApiError(
    'OriginChainTooLong',
    `the origins of image "${images[0]}" turn back on themselves at "${origin}"`,
  );
}

/** UUIDs of the image and of all that it builds on, also where they come back to it. */
export async function originsOf(service: WithStore, uuid: string): Promise<ReadonlySet<string>> {
  return new Set((await chainFrom(service, uuid)).chain);
}

/** The image and its origins, as they are stored, as far as they are here; `isEndless` when they come back to one. */
async function chainFrom(
  service: WithStore,
  uuid: string,
): Promise<{ readonly chain: readonly string[]; readonly isEndless: boolean }> {
  const chain = new Set<string>();
  let next: string | undefined = uuid;
  while (next !== undefined && !chain.has(next)) {
    chain.add(next);
    next = (await service.store.get(IMAGES, next))?.value.origin;
  }
  return { chain: [...chain], isEndless: next !== undefined };
}
