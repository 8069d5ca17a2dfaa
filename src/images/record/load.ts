/** Reading image records: in one normal form, and only those that are valid manifests. */
import type Logger from 'bunyan';
import type { Filter, Stored, WithStore } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored } from '#lib/manifest/stored.ts';
import { isValidRecord } from '#lib/manifest/validate.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { Viewer } from './access.ts';

export type StoredImage = Stored<ImageRecord>;

/** What reading records takes of the service: what is no valid manifest there is told in the log. */
export interface Records extends WithStore, WithConfig {
  readonly log: Logger;
}

/** As stored, tombstones and invalid records included. */
export async function loadRaw(service: WithStore, uuid: string): Promise<StoredImage | undefined> {
  const stored = await service.store.get(IMAGES, uuid);
  return stored && normalized(stored);
}

/**
 * Undefined when there is no such image, when it is being deleted, or when its record does not validate (an operator
 * finds that in the log; readers see 404, as they always have).
 */
export async function loadImage(service: Records, uuid: string): Promise<StoredImage | undefined> {
  const stored = await loadRaw(service, uuid);
  return stored && isServed(service, stored) ? stored : undefined;
}

/** Whether the viewer may delete it also when it does not validate. */
export function isDeletable({ value }: StoredImage, { account, anonymous = false }: Viewer): boolean {
  return account === undefined && !anonymous && value.state !== 'deleting';
}

/**
 * The account's own image. Somebody else's takes exactly the work of one that is absent: its record is not read, however
 * large it is.
 */
export async function loadOwnImage(service: Records, uuid: string, owner: string): Promise<StoredImage | undefined> {
  const filter: Filter = {
    op: 'and',
    of: [
      { op: 'eq', field: 'uuid', value: uuid },
      { op: 'eq', field: 'owner', value: owner },
    ],
  };
  const [found] = await service.store.find(IMAGES, { filter, limit: 1 });
  return found && servedImage(service, found);
}

/** The same choice for a record that was read: undefined when it is not to be shown. */
export function servedImage(service: Records, found: Stored<ImageRecord>): StoredImage | undefined {
  const stored = normalized(found);
  return isServed(service, stored) ? stored : undefined;
}

/** Those of a few records that are to be shown. */
export function servedImages(service: Records, found: readonly Stored<ImageRecord>[]): StoredImage[] {
  return found.flatMap((one) => servedImage(service, one) ?? []);
}

/** In the form in which records are stored today, whoever wrote it. */
export function normalized(stored: Stored<ImageRecord>): StoredImage {
  const value = normalizeStored(stored.value);
  return value === stored.value ? stored : { ...stored, value };
}

export function isServed(service: Records, { value: record }: StoredImage): boolean {
  if (record.state === 'deleting') return false;
  if (isValidRecord(record, { mode: service.config.mode, channels: service.config.channels !== undefined }))
    return true;
  service.log.warn({ image: record.uuid }, 'image record is invalid and is not shown');
  return false;
}
