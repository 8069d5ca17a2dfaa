/**
 * An icon is replaced under its own name: after the bytes of the new one are placed and before the record says so, and until
 * that is settled if the process dies in between, the bytes there are not what the record says. Who reads it meanwhile waits
 * a moment.
 */
import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import { loadRaw } from '../record/load.ts';
import { recoverPlacement } from './file-placement.ts';

const PAUSE_MS = 50;
const MOST_PAUSES = 20;
/** How often to begin anew because the icon was replaced while it was being opened. */
const ATTEMPTS = 5;

/** Whether bytes of another icon may lie where the record's is. The same bytes, or those in another store, disturb nobody. */
export function isIconBusy({ icon, intent }: ImageRecord): boolean {
  if (!icon || intent?.kind !== 'icon') return false;
  return intent.file.stor === icon.stor && intent.sha1 !== icon.sha1;
}

/** The record, once its icon is what it says. @throws 409 ImageFileBusy while it is being replaced; 404 */
export async function withIconAsRecorded(service: Service, record: ImageRecord): Promise<ImageRecord> {
  const { uuid } = record;
  let current = record;
  for (let pauses = 0; isIconBusy(current); pauses++) {
    if (pauses === MOST_PAUSES) throw busy(uuid);
    if (pauses > 0) await pause(PAUSE_MS);
    const stored = await loadRaw(service, uuid);
    const settled = stored && (await recoverPlacement(service, stored));
    if (!settled || settled.value.state === 'deleting') throw imageNotFound(uuid);
    current = settled.value;
  }
  return current;
}

/**
 * Opens the icon by its record, and anew if it was replaced meanwhile.
 * @throws 409 ImageFileBusy while it is being replaced; 404; what `open` throws for an icon that nobody touches
 */
export async function openingIcon<T extends { readonly stream?: { destroy(): unknown } | undefined }>(
  service: Service,
  found: ImageRecord,
  open: (record: ImageRecord) => Promise<T>,
): Promise<T> {
  const { uuid } = found;
  let current = found;
  for (let attempt = 1; ; attempt++) {
    const record = await withIconAsRecorded(service, current);
    const outcome = await open(record).then(
      (opened) => ({ opened }),
      (error: unknown) => ({ error }),
    );
    const now = (await loadRaw(service, uuid))?.value;
    const isSame = !now || (now.icon?.sha1 === record.icon?.sha1 && !isIconBusy(now));
    if ('error' in outcome && isSame) throw outcome.error;
    if ('opened' in outcome && isSame) return outcome.opened;
    if ('opened' in outcome) outcome.opened.stream?.destroy();
    if (!now || now.state === 'deleting') throw imageNotFound(uuid);
    if (attempt === ATTEMPTS) throw busy(uuid);
    current = now;
  }
}

function busy(uuid: string): ApiError {
  return new ApiError('ImageFileBusy', `the icon of image "${uuid}" is being replaced right now; try again`);
}
