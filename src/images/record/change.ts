/** Changing one image record: read, decide, write, and again when somebody else wrote in between. */

import { EtagConflictError } from '#lib/documents/errors.ts';
import type { Write } from '#lib/documents/store.ts';
import { problemSummary } from '#lib/manifest/problem.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { storedRecordProblems } from '#lib/manifest/validate.ts';
import { pause } from '#lib/runtime/timers.ts';
import { ApiError, imageNotFound } from '../../../lib/api/errors/api-error.ts';
import type { Service } from '../../service/service.ts';
import { loadImage, type StoredImage } from './load.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { putRecord } from './record-write.ts';

/** Each try reads the record anew; so many losses in a row mean that something is wrong. */
const TRIES = 50;

/** A changed record, alone or with writes that belong into the same batch; undefined leaves everything as it is. */
export type Decision = ImageRecord | { readonly record: ImageRecord; readonly also: readonly Write[] } | undefined;

/**
 * Throws when the record may not be changed by the caller. A request may wait for its body for long; whose the image is
 * by then counts, so it is asked of the very record that the change is made to.
 */
export type Guard = (record: ImageRecord) => void;

type Decide = (current: ImageRecord, stored: StoredImage) => Decision | Promise<Decision>;

/** `decide` may throw, and is called again after a lost race. @throws 404 when the image is gone */
export function changeImage(service: Service, uuid: string, decide: Decide): Promise<StoredImage> {
  return oneAtATime(service, uuid, () => changeInTurn(service, uuid, decide));
}

async function changeInTurn(service: Service, uuid: string, decide: Decide): Promise<StoredImage> {
  for (let attempt = 1; ; attempt++) {
    const stored = await loadImage(service, uuid);
    if (!stored) throw imageNotFound(uuid);
    const decision = await decide(stored.value, stored);
    if (!decision) return stored;
    const { record, also } = 'also' in decision ? decision : { record: decision, also: [] };
    assertStaysServed(service, record);
    try {
      await service.store.batch([putRecord(record, stored.etag), ...also]);
      const changed = await loadImage(service, uuid);
      if (!changed) throw imageNotFound(uuid);
      return changed;
    } catch (error) {
      if (!(error instanceof EtagConflictError) || attempt === TRIES) throw error;
      // Spread out those who lost to the same winner.
      await pause(Math.random() * 2 * attempt);
    }
  }
}

/**
 * A record that does not validate is served to nobody, so no write may make one: what a placeholder does not know yet,
 * an image of another state has to know. @throws 422 ValidationFailed
 */
export function assertStaysServed({ config }: Service, record: ImageRecord): void {
  const problems = storedRecordProblems(record, { mode: config.mode, channels: config.channels !== undefined });
  if (problems.length > 0) throw new ApiError('ValidationFailed', problemSummary(problems), { errors: problems });
}
