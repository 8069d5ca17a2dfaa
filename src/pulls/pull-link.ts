/**
 * Pull links: names in the pulls area that keep a file's bytes for one transfer, so that deleting the image does not
 * break the transfer. A link lives for as long as somebody renews it before the reaper removes its day.
 */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { Filter } from '#lib/documents/store.ts';
import { isConflict, updateObject } from '#lib/documents/update.ts';
import { imageObjectPath, pullObjectPath, pullsDay } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { duplicate } from '#lib/objects/duplicate.ts';
import { ObjectNotFoundError } from '#lib/objects/errors.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { isUuid, newUuid } from '#lib/text/uuid.ts';
import { assertNotQuarantined } from '../images/files/findings.ts';
import { followingMoves } from '../images/files/following-moves.ts';
import { storedObject } from '../images/files/stored-object.ts';
import { loadImage, loadOwnImage } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';
import { ENDED, PULL_LINKS, type PullRecord } from './documents.ts';
import { pullEvents } from './pull-events.ts';

/** Who asks for which bytes. Only a link's creator may renew it. */
export interface PullRequest {
  readonly uuid: string;
  readonly index: number;
  /** The account that owns the image; absent when an operator asks. */
  readonly account: string | undefined;
  /** The linked datacenter that asks; absent when an operator of this one does. */
  readonly datacenter?: string | undefined;
  readonly requestId: string;
}

/** Links that one datacenter may have to one image; an honest one needs one per copy. */
const MOST_REMEMBERED = 100;

/** @throws 404 ResourceNotFound; 429 TooManyRequests when the datacenter has made too many links to the image */
export async function makePullLink(service: Service, request: PullRequest): Promise<PullRecord> {
  const image = await requestedImage(service, request);
  await assertFew(service, request);
  return followingMoves(service, image, (current) => {
    assertNotQuarantined(current, request.index);
    return makeOf(service, request, fileAt(current, request.index));
  });
}

async function makeOf(service: Service, request: PullRequest, file: FileRecord): Promise<PullRecord> {
  // The request's own id, so that both sides' logs can be matched; another id if a client sends the same one twice.
  const reqid = isUuid(request.requestId) ? request.requestId : newUuid();
  if (await service.store.get(PULL_LINKS, reqid)) return makeNamed(service, request, file, newUuid());
  return makeNamed(service, request, file, reqid).catch((error: unknown) => {
    if (!isConflict(error)) throw error;
    return makeNamed(service, request, file, newUuid());
  });
}

async function makeNamed(service: Service, request: PullRequest, file: FileRecord, reqid: string): Promise<PullRecord> {
  const now = service.store.now();
  const day = pullsDay(now);
  const storage = service.storages.named(file.stor);
  const what = `file${request.index} of image "${request.uuid}"`;
  await storedObject(service.log, { storage, path: imagePath(request), size: file.size, what });
  const placed = await place(storage, request, imagePath(request), day, reqid);
  await service.faults.reach('pull:linked');
  const record: PullRecord = {
    reqid,
    uuid: request.uuid,
    index: request.index,
    datacenter: request.datacenter ?? '',
    ...(request.account !== undefined && { account: request.account }),
    ...placed,
    day,
    size: file.size,
    sha1: file.sha1,
    ...(file.sha256 !== undefined && { sha256: file.sha256 }),
    ...(file.contentMD5 !== undefined && { md5: file.contentMD5 }),
    created_at: new Date(now).toISOString(),
    expires: expiry(service),
    rev: 1,
  };
  const told =
    request.datacenter === undefined ? [] : pullEvents(service, { ...request, datacenter: request.datacenter }, file);
  await service.store.batch([{ op: 'put', bucket: PULL_LINKS, key: reqid, value: record, ifEtag: null }, ...told]);
  return record;
}

/** Works even after the image was deleted. @throws 404 ResourceNotFound when link or bytes are gone */
export async function renewPullLink(service: Service, request: PullRequest, reqid: string): Promise<PullRecord> {
  let earlier: PullRecord | undefined;
  const renewed = await updateObject(service.store, PULL_LINKS, reqid, async (current): Promise<PullRecord> => {
    const isLive = current.day !== ENDED && !current.ended;
    if (!isLive || !isSameRequest(current, request)) throw linkNotFound(reqid);
    earlier = current;
    const placed = await placeAgain(service, current);
    const day = pullsDay(service.store.now());
    return { ...current, ...placed, day, expires: expiry(service), rev: current.rev + 1 };
  });
  if (!renewed || !earlier) throw linkNotFound(reqid);
  await removeEarlier(service, earlier, renewed.value);
  return renewed.value;
}

/** Removes the name under the earlier day; URLs for it are served from the renewed link. */
async function removeEarlier(service: Service, earlier: PullRecord, renewed: PullRecord): Promise<void> {
  if (earlier.direct || earlier.path === renewed.path) return;
  await service.storages
    .named(earlier.stor)
    .remove(earlier.path)
    .catch((err: unknown) =>
      service.log.warn({ err, path: earlier.path }, 'could not remove an old pull link; the reaper will'),
    );
}

/** Each link is a name in the object store and a document; without a limit a datacenter could fill both. */
async function assertFew(service: Service, { uuid, datacenter }: PullRequest): Promise<void> {
  if (datacenter === undefined) return;
  if ((await service.store.count(PULL_LINKS, linksOf(uuid, datacenter))) < MOST_REMEMBERED) return;
  throw new ApiError(
    'TooManyRequests',
    `datacenter "${datacenter}" already has ${MOST_REMEMBERED} pull links to image "${uuid}"; renew one, or download the file itself`,
  );
}

/** Whether a remembered pull link was given to the account when it owned the image. */
export async function wasPulledBy(
  service: Service,
  { uuid, account, datacenter }: { readonly uuid: string; readonly account: string; readonly datacenter: string },
): Promise<boolean> {
  const links = await service.store.find(PULL_LINKS, { filter: linksOf(uuid, datacenter) });
  return links.some(({ value }) => value.account === account);
}

function linksOf(uuid: string, datacenter: string): Filter {
  return {
    op: 'and',
    of: [
      { op: 'eq', field: 'uuid', value: uuid },
      { op: 'eq', field: 'datacenter', value: datacenter },
    ],
  };
}

/** The image with the file. @throws 404 when there is none that the request may read */
async function requestedImage(
  service: Service,
  { uuid, index, account }: Pick<PullRequest, 'uuid' | 'index' | 'account'>,
): Promise<ImageRecord> {
  const found = account === undefined ? loadImage(service, uuid) : loadOwnImage(service, uuid, account);
  const image = (await found)?.value;
  if (!image) throw imageNotFound(uuid);
  fileAt(image, index);
  return image;
}

/** @throws 404 ResourceNotFound */
export function fileAt({ uuid, files = [] }: ImageRecord, index: number): FileRecord {
  const file = files[index];
  if (file) return file;
  const which = files.length === 0 ? 'no file' : `no file at index ${index}`;
  throw new ApiError('ResourceNotFound', `image "${uuid}" has ${which}`);
}

type Placed = Pick<PullRecord, 'stor' | 'path' | 'direct'>;

async function place(
  storage: ObjectStore,
  { uuid, index }: Pick<PullRequest, 'uuid' | 'index'>,
  from: string,
  day: string,
  reqid: string,
): Promise<Placed> {
  const path = pullObjectPath(day, uuid, index, reqid);
  try {
    const { name: stor } = storage;
    return (await duplicate(storage, from, path)) ? { stor, path, direct: false } : { stor, path: from, direct: true };
  } catch (cause) {
    if (!(cause instanceof ObjectNotFoundError)) throw cause;
    throw new ApiError('ResourceNotFound', `the file of image "${uuid}" is not in the object store`, { cause });
  }
}

async function placeAgain(service: Service, record: PullRecord): Promise<Placed> {
  const storage = service.storages.named(record.stor);
  const today = pullsDay(service.store.now());
  if ((record.direct || record.day === today) && (await storage.info(record.path))) return record;
  if (await storage.info(record.path)) return place(storage, record, record.path, today, record.reqid);
  // The image may still be there with the same bytes, perhaps in another store.
  const file = (await loadImage(service, record.uuid))?.value.files?.[record.index];
  const image = file?.sha1 === record.sha1 ? service.storages.named(file.stor) : undefined;
  if (!(await image?.info(imagePath(record)))) throw linkNotFound(record.reqid);
  return place(image ?? storage, record, imagePath(record), today, record.reqid);
}

/** Whether a URL that was given out reads this very object, because its store gives no second names. */
export async function isReadDirectly(
  { store }: Pick<Service, 'store'>,
  image: string,
  { stor, path }: Pick<PullRecord, 'stor' | 'path'>,
): Promise<boolean> {
  const links = await store.find(PULL_LINKS, { filter: { op: 'eq', field: 'uuid', value: image } });
  return links.some(({ value: link }) => {
    const isIt = link.direct && link.stor === stor && link.path === path;
    return isIt && !link.ended && Date.parse(link.expires) > store.now();
  });
}

function isSameRequest(record: PullRecord, { uuid, index, account, datacenter }: PullRequest): boolean {
  return (
    record.uuid === uuid &&
    record.index === index &&
    record.account === account &&
    record.datacenter === (datacenter ?? '')
  );
}

function imagePath({ uuid, index }: Pick<PullRequest, 'uuid' | 'index'>): string {
  return imageObjectPath(uuid, `file${index}`);
}

function expiry({ store, config }: Pick<Service, 'store' | 'config'>): string {
  return new Date(store.now() + config.pulls.expirySeconds * 1000).toISOString();
}

function linkNotFound(reqid: string): ApiError {
  return new ApiError('ResourceNotFound', `pull link "${reqid}" does not exist or has ended; ask for a new one`);
}

/**
 * Ends a pull link early, because its transfer is over. It opens nothing and holds no bytes from then on; its record is
 * kept until its day has passed. May be repeated after a failure. Returns false when that datacenter has no such link (any
 * more).
 */
export async function endPull(
  service: Service,
  { reqid, datacenter }: Pick<PullRecord, 'reqid' | 'datacenter'>,
): Promise<boolean> {
  const ended = await updateObject(service.store, PULL_LINKS, reqid, (current) => {
    if (current.datacenter !== datacenter || current.ended) return undefined;
    const changed: PullRecord = { ...current, ended: true, rev: current.rev + 1 };
    return changed;
  });
  if (ended?.value.datacenter !== datacenter) return false;
  const { stor, path, direct } = ended.value;
  if (!direct) await service.storages.named(stor).remove(path);
  return true;
}
