/**
 * What a caller is to an image, and what it may do with it. All is decided here, for every route and again at every
 * write (`change.ts`); nobody else compares an image's owner with an account. What other images say of it (that a share
 * opens this one too) is found by `references.ts`, which asks here; lists ask the store for the same in its own terms
 * (`list.ts`).
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
   * A caller that nobody vouches for: in public and private mode, one whose request is not signed. Sees activated
   * images that are not disabled.
   */
  readonly anonymous?: boolean;
}

/** The service itself, and whoever runs it. */
export const OPERATOR: Viewer = { account: undefined };

/** As the image's own record tells; `reader` and what else other images tell is found by `references.ts`. */
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
 * The table's answer to a request by somebody who may make it. That the UUID is taken is told by whoever wants it.
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

/** A placeholder of a copy takes no change but through the copy itself. @throws 409, 404 */
export function assertNotPlaceholder(record: ImageRecord): void {
  decideFor(record, OPERATOR, 'change');
}
