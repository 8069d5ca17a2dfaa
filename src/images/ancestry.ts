/** GetImageAncestry: the chain of images that an image builds on. */

import type { Relation, Viewer } from './record/access.ts';
import { LONGEST_CHAIN } from './record/cycles.ts';
import { loadImage, type Records, type StoredImage } from './record/load.ts';
import { relationToOrigin } from './record/references.ts';

/**
 * The image first, then its origins down to the base, as far as they are here and visible to the viewer. A chain that is
 * too long, or is a cycle, is cut off.
 * @param relation of the viewer to the image
 */
export async function ancestryOf(
  service: Records,
  viewer: Viewer,
  image: StoredImage,
  relation: Relation,
): Promise<StoredImage[]> {
  const chain = [image];
  let above = { record: image.value, relation };
  const seen = new Set([image.key]);
  for (let origin = image.value.origin; origin && !seen.has(origin) && chain.length < LONGEST_CHAIN; ) {
    seen.add(origin);
    const stored = await loadImage(service, origin);
    if (!stored) break;
    above = { record: stored.value, relation: await relationToOrigin(service, above, stored.value, viewer) };
    if (above.relation === 'none') break;
    chain.push(stored);
    origin = stored.value.origin;
  }
  return chain;
}
