/** GetImageAncestry: the chain of images that an image builds on. */

import type { Service } from '../service.ts';
import { relationTo, type Viewer } from './access.ts';
import { loadImage, type StoredImage } from './load.ts';

/** A chain that is longer, or turns back on itself, ends here. */
export const LONGEST_CHAIN = 100;

/** The image itself first, then its origins down to the base, as far as they are here and the viewer sees them. */
export async function ancestryOf(service: Service, viewer: Viewer, image: StoredImage): Promise<StoredImage[]> {
  const chain = [image];
  const seen = new Set([image.key]);
  for (let origin = image.value.origin; origin && !seen.has(origin) && chain.length < LONGEST_CHAIN; ) {
    seen.add(origin);
    const stored = await loadImage(service, origin);
    if (!stored || relationTo(stored.value, viewer) === 'none') break;
    chain.push(stored);
    origin = stored.value.origin;
  }
  return chain;
}
