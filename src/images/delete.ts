/** DeleteImage, which within a channel only takes the image out of that channel, and ChannelAddImage. */
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../service/service.ts';
import { forgetClone } from './cloning/cloned.ts';
import { isWorthKeeping, keptTombstone } from './deleted/kept.ts';
import { archivedManifest } from './files/archive.ts';
import { assertNotProtected } from './protection.ts';
import { type ChangeRequest, changeImage, type Decision, type Passed } from './record/change.ts';
import { isServed, loadImage, type StoredImage } from './record/load.ts';
import { assertNoDependents } from './record/origins.ts';
import { finishOwnDelete, tombstone } from './record/tombstones.ts';

export interface DeleteRequest extends ChangeRequest {
  readonly forceAllChannels?: boolean;
  /** Whether it goes for good, so that it cannot be restored. */
  readonly purge?: boolean;
  /** Ends the copy that the record is the placeholder of. */
  readonly deletePlaceholder: (placeholder: StoredImage) => Promise<void>;
}

/** @throws 409 ImageProtected, 422 ImageHasDependentImages */
export async function deleteImage(service: Service, request: DeleteRequest): Promise<void> {
  let placeholder: StoredImage | undefined;
  const decide = async (_: ImageRecord, { stored, outcome }: Passed) => {
    placeholder = outcome === 'as-usual' ? undefined : stored;
    return placeholder ? undefined : withoutImage(service, request, stored);
  };
  const { key, value } = await changeImage(service, request, decide, { row: 'delete', frees: true });
  if (placeholder) await request.deletePlaceholder(placeholder);
  else if (value.kept) await service.faults.reach('delete:kept');
  else if (value.state === 'deleting') await finishOwnDelete(service, key);
}

/** Adding a child bumps the record, so every retry looks at the dependents again. */
async function withoutImage(
  service: Service,
  { viewer, channel, forceAllChannels = false, purge = false }: DeleteRequest,
  stored: StoredImage,
): Promise<Decision> {
  const { value: record } = stored;
  assertNotProtected(record);
  // If two requests take an image out of its last two channels, the second one deletes it.
  const others = record.channels?.filter((name) => name !== channel) ?? [];
  const isLeaving = channel !== undefined && others.length > 0 && !forceAllChannels;
  // Leaving a channel affects only the dependents in that channel; a deletion affects them all.
  await assertNoDependents(service, record, viewer, isLeaving ? channel : undefined);
  if (isLeaving) return { ...record, channels: others };
  const also = await forgetClone(service, record);
  if (!isServed(service, stored)) return { record: tombstone(record), also };
  const archive = archivedManifest(service, stored);
  if (purge || !isWorthKeeping(service, record)) return { record: tombstone(record, archive), also };
  const lacksOrigin = record.origin !== undefined && !(await loadImage(service, record.origin));
  return { record: keptTombstone(service, record, { archive, lacksOrigin }), also };
}

/** `channel-add`: writes nothing if the image is already in the channel. */
export function addToChannel(service: Service, request: ChangeRequest, channel: string): Promise<StoredImage> {
  return changeImage(service, request, (record) => {
    const { channels = [] } = record;
    return channels.includes(channel) ? undefined : { ...record, channels: [...channels, channel] };
  });
}
