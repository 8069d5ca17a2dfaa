/**
 * What a caller is to an image, and what it may do with it. All of this is decided here, for every route and again at
 * every write (`change.ts`); no other code compares an image's owner with an account. Two others build on it:
 * `references.ts` adds what a share of another image opens, and `list.ts` puts the same rules into the store's filters.
 *
 * No access is always 404, so that nobody learns which UUIDs exist; visible but not owned is 422 NotImageOwner.
 */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import { isGranted } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { columnOf, IMAGE_DECISIONS, type ImageOutcome, type ImageRequest, refusal } from './decision.ts';

/**
 * What a caller is to an image. `sharee` sees it through the ACL, `anyone` because it is public, `reader` because an
 * image that is shared with it builds on this one.
 */
export type Relation = 'operator' | 'owner' | 'sharee' | 'anyone' | 'reader' | 'none';

export interface Viewer {
  /** Absent: an operator. */
  readonly account: string | undefined;
  /**
   * Nobody vouches for this caller: in public and private mode, the request is not signed. Sees only activated images
   * that are not disabled.
   */
  readonly anonymous?: boolean;
}

/** The service itself, and whoever runs it. */
export const OPERATOR: Viewer = { account: undefined };

/** By the image's own record alone; `references.ts` adds what follows from other images, such as `reader`. */
export function relationTo(record: ImageRecord, viewer: Viewer): Exclude<Relation, 'reader'> {
  if (record.state === 'deleting') return 'none';
  const { account } = viewer;
  if (viewer.anonymous && (!record.activated || record.disabled)) return 'none';
  if (account === undefined) return 'operator';
  if (record.owner === account) return 'owner';
  if (!record.activated) return 'none';
  if (isGranted(record, account)) return 'sharee';
  return record.public ? 'anyone' : 'none';
}

export function isOwner(record: ImageRecord, account: string): boolean {
  return relationTo(record, { account }) === 'owner';
}

/** Work of accounts is seen by themselves, that of operators by the owner of the image. @param account absent: an operator */
export function seesWorkOn(
  record: ImageRecord | undefined,
  work: { readonly account?: string },
  account: string | undefined,
): boolean {
  if (account === undefined || work.account === account) return true;
  return work.account === undefined && record !== undefined && isOwner(record, account);
}

function mayChangeAs(relation: Relation): boolean {
  return relation === 'operator' || relation === 'owner';
}

export function mayChange(record: ImageRecord, viewer: Viewer): boolean {
  return mayChangeAs(relationTo(record, viewer));
}

/** @throws 404 ResourceNotFound, 422 NotImageOwner */
export function assertMayChangeAs(relation: Relation, { uuid }: ImageRecord, { account }: Viewer): void {
  if (mayChangeAs(relation)) return;
  if (relation === 'none') throw imageNotFound(uuid);
  throw new ApiError('NotImageOwner', `account "${account}" does not own image "${uuid}"`);
}

/**
 * The decision table's answer to a request whose caller may make it. The outcome `exists` is left to the caller.
 * @throws 404, 409 ImageCopyInProgress, 409 ImageCopyFailed
 */
export function decideFor<R extends ImageRequest>(
  record: ImageRecord,
  viewer: Viewer,
  request: R,
): Exclude<ImageOutcome<R>, ChangeRefused> {
  const outcome: ImageOutcome = IMAGE_DECISIONS[request][columnOf(record, mayChange(record, viewer))];
  if (isRefused(outcome)) throw refusal(outcome, record.uuid, record.copy?.datacenter);
  return outcome as Exclude<ImageOutcome<R>, ChangeRefused>;
}

const CHANGE_REFUSED = ['not-found', 'in-progress', 'copy-failed'] as const;
type ChangeRefused = (typeof CHANGE_REFUSED)[number];

function isRefused(outcome: ImageOutcome): outcome is ChangeRefused {
  return (CHANGE_REFUSED as readonly string[]).includes(outcome);
}

/** Only the copy itself may change its placeholder. @throws 409, 404 */
export function assertNotPlaceholder(record: ImageRecord): void {
  decideFor(record, OPERATOR, 'change');
}
