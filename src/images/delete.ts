/** DeleteImage: the image itself, or in a channel only its membership there; and how it comes to be in one. */
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '../service/service.ts';
import { forgetClone } from './cloning/cloned.ts';
import { archivedManifest } from './files/archive.ts';
import { type ChangeRequest, changeImage, type Decision, type Passed } from './record/change.ts';
import { isServed, type StoredImage } from './record/load.ts';
import { assertNoDependents } from './record/origins.ts';
import { finishOwnDelete, tombstone } from './record/tombstones.ts';

export interface DeleteRequest extends ChangeRequest {
  readonly forceAllChannels?: boolean;
  /** Ends the copy that the record is the placeholder of. */
  readonly deletePlaceholder: (placeholder: StoredImage) => Promise<void>;
}

/** @throws 422 ImageHasDependentImages */
export async function deleteImage(service: Service, request: DeleteRequest): Promise<void> {
  let placeholder: StoredImage | undefined;
  const decide = async (_: ImageRecord, { stored, outcome }: Passed) => {
    placeholder = outcome === 'as-usual' ? undefined : stored;
    return placeholder ? undefined : withoutImage(service, request, stored);
  };
  const { key, value } = await changeImage(service, request, decide, { row: 'delete', frees: true });
  if (placeholder) await request.deletePlaceholder(placeholder);
  else if (value.state === 'deleting') await finishOwnDelete(service, key);
}

/** Whoever adds a child bumps the record, so the dependents are looked at again in each try. */
async function withoutImage(
  service: Service,
  { viewer, channel, forceAllChannels = false }: DeleteRequest,
  stored: StoredImage,
): Promise<Decision> {
  const { value: record } = stored;
  // Of two who take an image out of its last two channels, the second one deletes it.
  const others = record.channels?.filter((name) => name !== channel) ?? [];
  const isLeaving = channel !== undefined && others.length > 0 && !forceAllChannels;
  // What leaves a channel stays for its dependents in others; what goes for good is missed by all of them.
  await assertNoDependents(service, record, viewer, isLeaving ? channel : undefined);
  if (isLeaving) return { ...record, channels: others };
  const archive = isServed(service, stored) ? archivedManifest(service, stored) : undefined;
  return { record: tombstone(record, archive), also: await forgetClone(service, record) };
}

/** `channel-add`: nothing is written when the image is in it already. */
export function addToChannel(service: Service, request: ChangeRequest, channel: string): Promise<StoredImage> {
  return changeImage(service, request, (record) => {
    const { channels = [] } = record;
    return channels.includes(channel) ? undefined : { ...record, channels: [...channels, channel] };
  });
}
