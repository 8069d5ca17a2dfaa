/**
 * Who may see an image, and who may change it. Every route decides here and nowhere else.
 *
 * No access is always 404, so that nobody learns which UUIDs exist; visible but not owned is 422 NotImageOwner.
 */
import { isGranted } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ApiError, imageNotFound } from '../errors/api-error.ts';

/** What a caller is to an image. `sharee` sees it through the ACL, `anyone` because it is public. */
export type Relation = 'operator' | 'owner' | 'sharee' | 'anyone' | 'none';

export interface Viewer {
  /** Absent: an operator. */
  readonly account: string | undefined;
  /**
   * A caller that nobody vouches for: in public and private mode, one whose request is not signed. Sees activated
   * images that are not disabled.
   */
  readonly anonymous?: boolean;
}

export function relationTo(record: ImageRecord, viewer: Viewer): Relation {
  if (record.state === 'deleting') return 'none';
  const { account } = viewer;
  if (viewer.anonymous && (!record.activated || record.disabled)) return 'none';
  if (account === undefined) return 'operator';
  if (record.owner === account) return 'owner';
  if (!record.activated) return 'none';
  if (isGranted(record, account)) return 'sharee';
  return record.public ? 'anyone' : 'none';
}

/** The relation of a caller that sees the image. @throws 404 ResourceNotFound */
export function assertVisible(record: ImageRecord, viewer: Viewer): Exclude<Relation, 'none'> {
  const relation = relationTo(record, viewer);
  if (relation === 'none') throw imageNotFound(record.uuid);
  return relation;
}

/** @throws 404 ResourceNotFound, 422 NotImageOwner */
export function assertMayChange(record: ImageRecord, viewer: Viewer): void {
  const relation = assertVisible(record, viewer);
  if (relation === 'operator' || relation === 'owner') return;
  throw new ApiError('NotImageOwner', `account "${viewer.account}" does not own image "${record.uuid}"`);
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
