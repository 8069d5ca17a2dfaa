/**
 * Chains of origins, and cycles in them: images that are their own origin, directly or through others. No write may
 * create a cycle. Where one exists all the same (from an older service, or from two writes at the same moment), it must
 * not keep its members from being deleted.
 */

import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';

/** Maximum number of members of a chain. */
export const LONGEST_CHAIN = 100;

/**
 * Refuses an origin that leads back to one of the images that are to build on it, or whose own chain is a cycle.
 * @throws 422 ValidationFailed origin, 422 OriginChainTooLong
 */
export async function assertNoCycle(service: WithStore, images: readonly string[], origin: string): Promise<void> {
  if (images.length === 1 && images[0] === origin) {
    throw validationFailed('origin', `origin is "${origin}", the image itself; an image cannot be its own origin`);
  }
  const { chain, isEndless } = await chainFrom(service, origin);
  if (!isEndless && !chain.some((uuid) => images.includes(uuid))) return;
  // Names only the origin that the caller gave: it may not see the others.
  throw new ApiError('OriginChainTooLong', `the origins of image "${images[0]}" would form a cycle at "${origin}"`);
}

/** UUIDs of the image and of everything it builds on, even where these form a cycle. */
export async function originsOf(service: WithStore, uuid: string): Promise<ReadonlySet<string>> {
  return new Set((await chainFrom(service, uuid)).chain);
}

/** The image and its origins as stored, as far as they exist here; `isEndless` when they form a cycle. */
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
