/**
 * What a request means for the record that is here: the rows of the decision table that concern images alone. The whole
 * table is in `src/copies/orders/decision.ts`. These rows are here because the write door looks them up, and images know
 * nothing of copies but the mark that a copy leaves on a record.
 */

import { ApiError, imageNotFound } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';

/** The columns of the table: the state of the local record. A tombstone counts as `none`. */
export const LOCAL_RECORDS = ['none', 'live', 'failed', 'usable', 'other'] as const;
export type LocalRecord = (typeof LOCAL_RECORDS)[number];

/** The outcomes are explained in `src/copies/orders/decision.ts`. */
export const IMAGE_DECISIONS = {
  delete: {
    none: 'not-found',
    live: 'canceled-by-delete',
    failed: 'remove-placeholder',
    usable: 'as-usual',
    other: 'as-usual',
  },
  change: { none: 'not-found', live: 'in-progress', failed: 'copy-failed', usable: 'as-usual', other: 'as-usual' },
  'admin-import': {
    none: 'as-usual',
    live: 'exists',
    failed: 'replace-placeholder',
    usable: 'exists',
    other: 'as-usual',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<LocalRecord, string>>>>;

type Decisions = typeof IMAGE_DECISIONS;
export type ImageRequest = keyof Decisions;
export type ImageOutcome<R extends ImageRequest = ImageRequest> = { [K in R]: Decisions[K][LocalRecord] }[R];

/** The record's column. @param mayChange whether the caller may change the record */
export function columnOf(record: ImageRecord | undefined, mayChange: boolean): LocalRecord {
  if (!record || record.state === 'deleting') return 'none';
  if (record.copy) return record.copy.state;
  return record.activated && mayChange ? 'usable' : 'other';
}

/** The outcomes that are errors. */
export type Refused = 'not-found' | 'exists' | 'in-progress' | 'copy-failed';

/** @param from the datacenter that the image comes from, if known */
export function refusal(outcome: Refused, uuid: string, from?: string): ApiError {
  const origin = from === undefined ? 'from another datacenter' : `from datacenter "${from}"`;
  switch (outcome) {
    case 'not-found':
      return imageNotFound(uuid);
    case 'in-progress':
      return new ApiError(
        'ImageCopyInProgress',
        `image "${uuid}" is being copied ${origin}; wait for it, or cancel it`,
      );
    case 'copy-failed':
      return new ApiError(
        'ImageCopyFailed',
        `the copy of image "${uuid}" ${origin} failed; copy it again, or delete it`,
      );
    case 'exists':
      return new ApiError('ImageUuidAlreadyExists', `image "${uuid}" already exists here`);
  }
}
