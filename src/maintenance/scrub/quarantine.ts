/**
 * Notes what is wrong with a file, and takes it back when it is right again.
 *
 * The damaged bytes stay under their name, and get a second one: nothing is removed, so that a process that slept through
 * somebody else's repair can do no harm when it wakes up. What keeps readers from them is the record. The repair replaces
 * them as an upload would, in one step.
 */
import { updateObject } from '#lib/documents/update.ts';
import { imageObjectPath, objectName, pullsDay, quarantinePath, type Which } from '#lib/manifest/object-paths.ts';
import { type ImageRecord, objectRecord } from '#lib/manifest/record.ts';
import { duplicate } from '#lib/objects/duplicate.ts';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';
import { newUuid } from '#lib/text/uuid.ts';
import {
  type Fault,
  FINDINGS,
  findingKey,
  findingOf,
  forgetFinding,
  isQuarantined,
  putFinding,
  type StoredFinding,
  withoutQuarantined,
  withQuarantined,
} from '../../images/files/findings.ts';
import { changeRecord } from '../../images/record/change.ts';
import type { StoredImage } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';

/**
 * False if the record has changed since it was read: what was found out may be about other bytes, those of before a
 * repair.
 */
export async function note(service: Service, { value }: StoredImage, index: Which, fault: Fault): Promise<boolean> {
  const { uuid } = value;
  const file = objectRecord(value, index);
  const kind = index === 'icon' ? 'icon' : 'file';
  let isNoted = false;
  await changeRecord(service, uuid, async (record) => {
    isNoted = isAsRead(record, value) && record.intent?.kind !== kind && file !== undefined;
    if (!isNoted || !file) return undefined;
    const known = await service.store.get(FINDINGS, findingKey(uuid, index));
    const finding = findingOf(value, index, file, fault, known?.value, service.store.now());
    const marked = fault.isServed ? withoutQuarantined(record, index) : withQuarantined(record, index);
    return { record: marked, also: [putFinding(finding, known?.etag ?? null)] };
  });
  if (isNoted) {
    service.log.error({ image: uuid, file: objectName(index), problem: fault.message }, 'a stored file is damaged');
    await service.faults.reach('scrub:marked');
  }
  return isNoted;
}

/** The file is right, as the record was read. Returns whether anything had been noted. */
export async function retract(service: Service, { value }: StoredImage, index: Which): Promise<boolean> {
  const { uuid } = value;
  const known = await service.store.get(FINDINGS, findingKey(uuid, index));
  if (!known && !isQuarantined(value, index)) return false;
  let isTakenBack = false;
  await changeRecord(service, uuid, (record) => {
    isTakenBack = isAsRead(record, value);
    return isTakenBack ? { record: withoutQuarantined(record, index), also: [forgetFinding(uuid, index)] } : undefined;
  });
  if (isTakenBack) service.log.info({ image: uuid, file: objectName(index) }, 'a file that was damaged is right again');
  return isTakenBack;
}

function isAsRead({ rev }: ImageRecord, read: ImageRecord): boolean {
  return rev === read.rev;
}

/** Gives the damaged bytes a second name, where the store can. Done again after a crash, it does no more harm than a third one. */
export async function keepAside(service: Service, finding: StoredFinding): Promise<void> {
  const { uuid, index, kept, stor } = finding;
  const storage = service.storages.find(stor);
  if (kept !== undefined || !storage) return;
  const path = quarantinePath(pullsDay(service.store.now()), uuid, objectName(index), newUuid());
  try {
    if (!(await duplicate(storage, imageObjectPath(uuid, objectName(index)), path))) return;
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) {
      service.log.warn({ err: error, image: uuid, store: stor }, 'damaged bytes could not be kept aside');
    }
    return;
  }
  await service.faults.reach('scrub:kept');
  await changeFinding(service, finding, { kept: path });
}

/** Does nothing once the finding is gone. */
export async function changeFinding(
  { store }: Service,
  { uuid, index }: StoredFinding,
  change: Pick<StoredFinding, 'kept'> | Pick<StoredFinding, 'repair'>,
): Promise<void> {
  await updateObject(store, FINDINGS, findingKey(uuid, index), (current) => ({
    ...current,
    ...change,
    rev: current.rev + 1,
  }));
}
