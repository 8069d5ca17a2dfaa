/** Reads image records: in one normal form, and only those that validate. */
import type Logger from 'bunyan';
import type { Filter, Stored, WithStore } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored } from '#lib/manifest/stored.ts';
import { isValidRecord } from '#lib/manifest/validate.ts';
import type { Config, WithConfig } from '../../service/config/config.ts';
import type { Viewer } from './access.ts';
import { rulesOf } from './rules.ts';

export type StoredImage = Stored<ImageRecord>;

/** What reading records needs of the service; invalid records are reported in its log. */
export interface Records extends WithStore, WithConfig {
  readonly log: Logger;
}

/** As stored, tombstones and invalid records included. */
export async function loadRaw(service: WithStore, uuid: string): Promise<StoredImage | undefined> {
  const stored = await service.store.get(IMAGES, uuid);
  return stored && normalized(stored);
}

/**
 * Undefined when there is no such image, when it is being deleted, or when its record does not validate (that goes to
 * the log; readers see 404, as they always have).
 */
export async function loadImage(service: Records, uuid: string): Promise<StoredImage | undefined> {
  const found = await service.store.get(IMAGES, uuid);
  return found && servedImage(service, found);
}

/** Whether the viewer may delete the image even if its record does not validate. */
export function isDeletable({ value }: StoredImage, { account, anonymous = false }: Viewer): boolean {
  return account === undefined && !anonymous && value.state !== 'deleting';
}

/**
 * The account's own image. Somebody else's image takes exactly the work of one that does not exist: its record is never
 * read, however large it is.
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

/** Records as the store keeps them, with what may be served of them: the same one is read again and again. */
const SERVED = new WeakMap<Config, WeakMap<Stored<ImageRecord>, StoredImage>>();

/** The record in normal form if it may be served, otherwise undefined. */
export function servedImage(service: Records, found: Stored<ImageRecord>): StoredImage | undefined {
  let served = SERVED.get(service.config);
  if (!served) {
    served = new WeakMap();
    SERVED.set(service.config, served);
  }
  const known = served.get(found);
  if (known) return known;
  const stored = normalized(found);
  if (!isServed(service, stored)) return undefined;
  if (Object.isFrozen(found) && Object.isFrozen(found.value)) served.set(found, stored);
  return stored;
}

/** Those of the records that may be served. */
export function servedImages(service: Records, found: readonly Stored<ImageRecord>[]): StoredImage[] {
  return found.flatMap((one) => servedImage(service, one) ?? []);
}

/** In today's stored form, whichever IMGAPI wrote the record. */
export function normalized(stored: Stored<ImageRecord>): StoredImage {
  const value = normalizeStored(stored.value);
  return value === stored.value ? stored : { ...stored, value };
}

export function isServed(service: Records, { value: record }: StoredImage): boolean {
  if (record.state === 'deleting') return false;
  if (isValidRecord(record, rulesOf(service))) return true;
  service.log.warn({ image: record.uuid }, 'image record is invalid and is not shown');
  return false;
}
