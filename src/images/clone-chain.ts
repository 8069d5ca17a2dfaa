/** Which images a clone copies: the image with its origins, down to one that belongs to the operators. */
import { isGranted } from '#lib/manifest/acl.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { NIL_UUID } from '#lib/uuid.ts';
import { ApiError, validationFailed } from '../errors/api-error.ts';
import type { Service } from '../service.ts';
import { assertNotPlaceholder } from './access.ts';
import { LONGEST_CHAIN } from './ancestry.ts';
import { loadImage } from './load.ts';

export interface CloneMember {
  readonly record: ImageRecord;
  readonly file: FileRecord;
}

export interface CloneChain {
  /** Base first; the last one is the image itself. */
  readonly members: readonly CloneMember[];
  /** The operators' image that the first member builds on, and that its clone builds on too. */
  readonly base: string | undefined;
}

/**
 * Only what was shared with the account is cloned: neither its own images nor those that anyone may use. Disabled
 * ones are. @throws 409, 422 ValidationFailed active, 422 ImageNotShared, 422 ValidationFailed type, 400 NotImplemented
 */
export function assertCloneable(record: ImageRecord, account: string): CloneMember {
  const { uuid } = record;
  assertNotPlaceholder(record);
  if (!record.activated) throw validationFailed('active', `image "${uuid}" is not activated`);
  if (!isGranted(record, account)) {
    throw new ApiError('ImageNotShared', `image "${uuid}" is not shared with account "${account}"`);
  }
  if (record.type === 'docker')
    throw validationFailed('type', `image "${uuid}" is a docker image, which is not cloned`);
  return memberOf(record);
}

/** Whoever may use an image may use its bytes, and those are in its origins too: access to these is not looked at. */
export async function cloneChain(service: Service, image: CloneMember): Promise<CloneChain> {
  const members = [image];
  const seen = new Set([image.record.uuid]);
  for (let { origin } = image.record; ; ) {
    if (origin === undefined) return { members, base: undefined };
    if (seen.has(origin) || members.length === LONGEST_CHAIN) throw endless(image.record);
    seen.add(origin);
    const stored = await loadImage(service, origin);
    if (!stored) throw new ApiError('OriginDoesNotExist', `origin image "${origin}" does not exist here`);
    if (isOperators(service, stored.value)) return { members, base: origin };
    members.unshift(originOf(stored.value));
    origin = stored.value.origin;
  }
}

function originOf(record: ImageRecord): CloneMember {
  assertNotPlaceholder(record);
  if (!record.activated) throw new ApiError('OriginIsNotActive', `origin image "${record.uuid}" is not activated`);
  return memberOf(record);
}

function memberOf(record: ImageRecord): CloneMember {
  const [file, ...others] = record.files ?? [];
  if (file && others.length === 0) return { record, file };
  const count = record.files?.length ?? 0;
  throw new ApiError('NotImplemented', `image "${record.uuid}" has ${count} files; only images of one are cloned`);
}

function isOperators({ config }: Service, { owner }: ImageRecord): boolean {
  return owner === config.adminUuid || owner === NIL_UUID;
}

function endless({ uuid }: ImageRecord): ApiError {
  const what = `has more than ${LONGEST_CHAIN} members, or turns back on itself`;
  return new ApiError('OriginChainTooLong', `the chain of origins of image "${uuid}" ${what}`);
}
