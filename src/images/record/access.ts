/**
 * Who may see an image, and who may change it. Every route decides here and nowhere else.
 *
 * No access is always 404, so that nobody learns which UUIDs exist; visible but not owned is 422 NotImageOwner.
 */
import { isGranted } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ApiError, imageNotFound } from '../../../lib/api/errors/api-error.ts';

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

/** @throws 404 ResourceNotFound, 422 NotImageOwner */
export function assertMayChange(record: ImageRecord, viewer: Viewer): void {
  assertMayChangeAs(relationTo(record, viewer), record, viewer);
}

/** The same where the relation is known. */
export function assertMayChangeAs(relation: Relation, { uuid }: ImageRecord, { account }: Viewer): void {
  if (relation === 'operator' || relation === 'owner') return;
  if (relation === 'none') throw imageNotFound(uuid);
  throw new ApiError('NotImageOwner', `account "${account}" does not own image "${uuid}"`);
}

/** A placeholder of a copy takes no change but through the copy itself. @throws 409 */
export function assertNotPlaceholder(record: ImageRecord): void {
  if (!record.copy) return;
  const from = `from datacenter "${record.copy.datacenter}"`;
  if (record.copy.state === 'live') {
    throw new ApiError(
      'ImageCopyInProgress',
      `image "${record.uuid}" is being copied ${from}; wait for it, or cancel it`,
    );
  }
  throw new ApiError(
    'ImageCopyFailed',
    `the copy of image "${record.uuid}" ${from} failed; copy it again, or delete it`,
  );
}
