/** Waits for the end of a copy, however long it takes and even if the connection is lost meanwhile. */

import { isFinal } from '#lib/api/copy-states.ts';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import type { CallOptions } from '#lib/client/caller.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { pause as wait } from '#lib/runtime/timers.ts';
import { CloudapiError } from './errors.ts';

const PAUSE_MS = 1000;
/** Between two looks where all places for watches are taken. */
const CROWDED_PAUSE_MS = 5000;
const LONGEST_PAUSE_MS = 30_000;
/** By then a service that restarts is back. */
const PATIENCE_MS = 60_000;

/** @throws 503 ImageCopyFailed, 409 ImageCopyCanceled, and the errors of IMGAPI */
export async function waitForCopy(imgapi: ImgapiClient, image: string, options: CallOptions): Promise<void> {
  let lastSeen = Date.now();
  const seen = (): void => {
    lastSeen = Date.now();
  };
  for (;;) {
    let pause = PAUSE_MS;
    try {
      const status = await lastStatus(imgapi, image, options, seen).catch(async (error: unknown) => {
        if (!isCrowded(error)) throw error;
        pause = pauseAfter(error);
        const asked = await imgapi.getImageCopy(image, options);
        seen();
        return asked;
      });
      if (status && isFinal(status.state)) return assertSucceeded(status);
    } catch (error) {
      const isCrowd = isCrowded(error);
      const mayPass = isCrowd || error instanceof ImgapiUnreachableError;
      if (!mayPass || Date.now() - lastSeen >= PATIENCE_MS) throw error;
      if (isCrowd) pause = pauseAfter(error);
    }
    await wait(pause, options.signal);
  }
}

/** Follows the copy until it or the stream ends. */
async function lastStatus(
  imgapi: ImgapiClient,
  image: string,
  options: CallOptions,
  onStatus: () => void,
): Promise<CopyStatus | undefined> {
  let last: CopyStatus | undefined;
  // IMGAPI sends an empty line now and then even if nothing changes: silence means that the connection is dead.
  for await (const status of imgapi.watchImageCopy(image, options)) {
    last = status;
    onStatus();
  }
  return last;
}

/** Whether all places for watches are taken; the status itself is short. */
function isCrowded(error: unknown): error is ImgapiError {
  return error instanceof ImgapiError && (error.code === 'ServerBusy' || error.code === 'TooManyRequests');
}

/** Milliseconds, as the other side wishes within reason. */
function pauseAfter({ retryAfter }: ImgapiError): number {
  if (retryAfter === undefined) return CROWDED_PAUSE_MS;
  return Math.min(Math.max(retryAfter * 1000, PAUSE_MS), LONGEST_PAUSE_MS);
}

function assertSucceeded({ state, error, datacenter, image_uuid: image }: CopyStatus): void {
  if (state === 'succeeded') return;
  const copy = `the copy of image "${image}" from datacenter "${datacenter}"`;
  if (state === 'canceled') throw new CloudapiError('ImageCopyCanceled', `${copy} was canceled`);
  throw new CloudapiError(
    'ImageCopyFailed',
    `${copy} failed: ${error ? `${error.message} (${error.code})` : 'unknown'}`,
  );
}
