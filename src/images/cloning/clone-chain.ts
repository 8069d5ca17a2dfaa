/**
 * Which images a clone copies: the image and its origins, down to one that the account can build on as it is. That is an
 * image of its own, its earlier clone of that origin, or an operator's image.
 *
 * Whoever may use an image may use its bytes, part of which are in its origins. So origins with the same owner as the
 * image are cloned whether they are shared or not; other origins only if the account may see them. Any other origin
 * makes the clone fail.
 */

import { ApiError, validationFailed } from '#lib/api/errors/api-error.ts';
import { isGranted } from '#lib/manifest/acl.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { isIconBusy } from '../files/icon-as-recorded.ts';
import { assertNotPlaceholder, isOwner, relationTo } from '../record/access.ts';
import { LONGEST_CHAIN } from '../record/cycles.ts';
import { loadImage, type StoredImage } from '../record/load.ts';
import { relationOf } from '../record/references.ts';
import { type ClonedBefore, clonedBefore } from './cloned.ts';

export interface CloneMember {
  readonly stored: StoredImage;
  readonly file: FileRecord;
  /** The account's latest clone of it. */
  readonly before: ClonedBefore;
}

export interface CloneChain {
  /** Base first; the last member is the image itself. */
  readonly members: readonly CloneMember[];
  /** The image that the clone of the first member builds on. */
  readonly base: string | undefined;
}

/**
 * Only images that are shared with the account can be cloned, disabled ones included; not its own images, nor those that
 * are merely public.
 * @throws 409, 422 ValidationFailed active, 422 ImageNotShared, 422 ValidationFailed type, 400 NotImplemented
 */
function assertCloneable(record: ImageRecord, account: string): void {
  const { uuid } = record;
  // An account that no longer sees the image learns nothing about it.
  if (relationTo(record, { account }) === 'none') throw notShared(uuid, account);
  assertNotPlaceholder(record);
  if (!record.activated) throw validationFailed('active', `image "${uuid}" is not activated`);
  if (!isGranted(record, account)) throw notShared(uuid, account);
  if (record.type === 'docker') {
    throw validationFailed('type', `image "${uuid}" is a docker image; these cannot be cloned`);
  }
  fileOf(record);
}

function notShared(uuid: string, account: string): ApiError {
  return new ApiError('ImageNotShared', `image "${uuid}" is not shared with account "${account}"`);
}

/** @throws what {@link assertCloneable} does, 422 OriginDoesNotExist, 422 OriginChainTooLong, 400 NotImplemented */
export async function cloneChain(service: Service, image: StoredImage, account: string): Promise<CloneChain> {
  assertCloneable(image.value, account);
  const members = [await memberOf(service, image, account)];
  const seen = new Set([image.key]);
  for (let { origin } = image.value; ; ) {
    if (origin === undefined) return { members, base: undefined };
    if (seen.has(origin) || members.length === LONGEST_CHAIN) throw endless(image.value);
    seen.add(origin);
    const stored = await usableOrigin(service, image.value, origin, account);
    if (isBase(service, stored.value, account)) return { members, base: origin };
    const member = await memberOf(service, stored, account);
    if (member.before.clone !== undefined) return { members, base: member.before.clone };
    members.unshift(member);
    origin = stored.value.origin;
  }
}

/** Whether both chains clone the same images, with the same icons, onto the same base. */
export function isSameChain(one: CloneChain, other: CloneChain): boolean {
  const [these, those] = [one, other].map(({ members, base }) => [base, ...members.map(likeness)]);
  return these?.join() === those?.join();
}

/** An icon can be replaced at any time, also while its bytes are being cloned. */
function likeness({ stored: { key, value } }: CloneMember): string {
  return `${key} ${value.icon?.sha1 ?? ''} ${isIconBusy(value)}`;
}

/** An origin that may not be cloned is answered like one that does not exist. @throws 422 OriginDoesNotExist */
async function usableOrigin(
  service: Service,
  image: ImageRecord,
  origin: string,
  account: string,
): Promise<StoredImage> {
  const stored = await loadImage(service, origin);
  const record = stored?.value;
  if (record?.activated && !record.copy) {
    const isSameOwners = record.owner !== undefined && record.owner === image.owner;
    if (isSameOwners || (await relationOf(service, record, { account })) !== 'none') return stored as StoredImage;
  }
  throw new ApiError('OriginDoesNotExist', `origin image "${origin}" does not exist here`);
}

/** The account's own image, or an operator's image that it will still see after the share has ended. */
function isBase({ config }: Service, record: ImageRecord, account: string): boolean {
  if (isOwner(record, account)) return true;
  const isOperators = record.owner === config.adminUuid || record.owner === NIL_UUID;
  return isOperators && relationTo(record, { account }) !== 'none';
}

async function memberOf(service: Service, stored: StoredImage, account: string): Promise<CloneMember> {
  const file = fileOf(stored.value);
  return { stored, file, before: await clonedBefore(service, account, stored.value) };
}

function fileOf({ uuid, files = [] }: ImageRecord): FileRecord {
  const [file, ...others] = files;
  if (file && others.length === 0) return file;
  throw new ApiError('NotImplemented', `image "${uuid}" has ${files.length} files; only images with one can be cloned`);
}

function endless({ uuid }: ImageRecord): ApiError {
  const what = `has more than ${LONGEST_CHAIN} members, or is a cycle`;
  return new ApiError('OriginChainTooLong', `the chain of origins of image "${uuid}" ${what}`);
}
