/** Images that are not there yet. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { CommandError } from '../framework/errors.ts';
import type { CloudapiClient } from './cloudapi-client.ts';
import { imageLabel } from './image.ts';

const PAUSE_MS = 2000;

export function isComing({ state }: CloudapiImage): boolean {
  return state === 'copying' || state === 'creating';
}

export function isHere({ state }: CloudapiImage): boolean {
  return state === 'active' || state === 'disabled';
}

/**
 * Waits for an image that is being made here, by asking: nothing announces its end.
 * @param patience milliseconds for which the server may be away
 * @throws CommandError when it is never done
 */
export async function untilHere(
  client: CloudapiClient,
  first: CloudapiImage,
  patience: number,
  signal: AbortSignal,
): Promise<CloudapiImage> {
  let image = first;
  let seenAt = Date.now();
  while (!isHere(image)) {
    assertStillComing(image);
    await sleep(PAUSE_MS, undefined, { signal });
    try {
      image = await client.getImage(image.id, { signal });
      seenAt = Date.now();
    } catch (error) {
      const isPassing =
        error instanceof ImgapiUnreachableError || (error instanceof ImgapiError && error.statusCode >= 500);
      if (!isPassing || Date.now() - seenAt >= patience) throw error;
    }
  }
  return image;
}

function assertStillComing(image: CloudapiImage): void {
  const { state, error } = image;
  if (isComing(image)) return;
  const message = `image ${imageLabel(image)} is ${state}${error?.message === undefined ? '' : `: ${error.message}`}`;
  throw new CommandError(message, { code: error?.code ?? 'ImageNotActive' });
}
