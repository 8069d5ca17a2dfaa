/**
 * What a request about an image means, given the record that is here. Every request looks its outcome up in one table,
 * which the docs print and the tests check cell by cell. The rows that are not about copies are in
 * `src/images/record/decision.ts`; nothing else in the service decides what happens to a placeholder.
 */
import type { ImageRecord } from '#lib/manifest/record.ts';
import { mayChange } from '../../images/record/access.ts';
import { columnOf, IMAGE_DECISIONS, type LocalRecord } from '../../images/record/decision.ts';

export { LOCAL_RECORDS, type LocalRecord, refusal } from '../../images/record/decision.ts';

export const LOCAL_RECORD_MEANING: Readonly<Record<LocalRecord, string>> = {
  none: 'no record',
  live: 'placeholder of a copy that is under way',
  failed: 'placeholder of a copy that failed',
  usable: 'active or disabled, and the caller may change it',
  other: 'anything else',
};

export const REQUESTS = [
  'copy',
  'copy-other-hash',
  'copy-other-owner',
  'do-not-restart',
  'import',
  'cancel',
  'delete',
  'change',
  'admin-import',
] as const;
export type Request = (typeof REQUESTS)[number];

export const REQUEST_MEANING: Readonly<Record<Request, string>> = {
  copy: 'copy-from-dc, where the source has the same hash',
  'copy-other-hash': 'copy or import, where the source has another hash',
  'copy-other-owner': 'copy or import for the account that owns it at the source, but not this record',
  'do-not-restart': 'copy-from-dc with do_not_restart',
  import: 'import-from-datacenter, import-remote',
  cancel: 'cancel the copy',
  delete: 'DeleteImage',
  change: 'update, acl, file, icon, activate, enable, disable, clone, export, change-stor',
  'admin-import': 'AdminImport',
};

export const OUTCOMES = {
  'not-found': '404 ResourceNotFound',
  exists: '409 ImageUuidAlreadyExists',
  'in-progress': '409 ImageCopyInProgress',
  'copy-failed': '409 ImageCopyFailed',
  'new-order': 'a new order',
  attach: 'the order that is under way; the answer names its source',
  'new-attempt': 'a new order from the requested source; verified bytes are kept',
  'drop-bytes': 'a new order; the bytes received so far are dropped',
  'replace-placeholder': 'the placeholder is removed, then a new order',
  recopy: 'the mutable fields are read again',
  'last-result': 'how the last order ended, or 404',
  canceled: 'the order ends as canceled; placeholders that no other live order lists are removed',
  'canceled-by-delete': 'the same, but 422 while a live member builds on it',
  'remove-placeholder': 'the placeholder and its bytes are removed',
  'as-usual': 'as if there were no copies',
  impossible: '–',
} as const satisfies Record<string, string>;
export type Outcome = keyof typeof OUTCOMES;

/** The columns are those of {@link LOCAL_RECORDS}. */
export const DECISIONS: Readonly<Record<Request, Readonly<Record<LocalRecord, Outcome>>>> = {
  copy: { none: 'new-order', live: 'attach', failed: 'new-attempt', usable: 'recopy', other: 'exists' },
  'copy-other-hash': { none: 'impossible', live: 'exists', failed: 'drop-bytes', usable: 'exists', other: 'exists' },
  'copy-other-owner': {
    ...{ none: 'impossible', live: 'exists', failed: 'replace-placeholder' },
    ...{ usable: 'exists', other: 'exists' },
  },
  'do-not-restart': {
    ...{ none: 'not-found', live: 'attach', failed: 'last-result' },
    ...{ usable: 'last-result', other: 'not-found' },
  },
  import: { none: 'new-order', live: 'attach', failed: 'new-attempt', usable: 'exists', other: 'exists' },
  cancel: { none: 'not-found', live: 'canceled', failed: 'not-found', usable: 'not-found', other: 'not-found' },
  ...IMAGE_DECISIONS,
};

/** `account` absent: an operator, who may change every image. */
export function localRecord(record: ImageRecord | undefined, account: string | undefined): LocalRecord {
  return columnOf(record, record !== undefined && mayChange(record, { account }));
}

export function decide(record: ImageRecord | undefined, account: string | undefined, request: Request): Outcome {
  return DECISIONS[request][localRecord(record, account)];
}

/** What the source says about the image to copy. */
export interface Wanted {
  /** Absent if an operator copies it, whoever owns it. */
  readonly account: string | undefined;
  readonly owner: string;
  readonly sha1: string;
}

/** The row for a copy or an import, once the source has answered. */
export function copyRequest(kind: 'copy' | 'import', record: ImageRecord | undefined, wanted: Wanted): Request {
  if (localRecord(record, wanted.account) === 'none' || !record) return kind;
  if (record.owner !== wanted.owner) return 'copy-other-owner';
  return hashOf(record) === wanted.sha1 ? kind : 'copy-other-hash';
}

/** The hash of the file that a record has, or that its placeholder waits for. */
export function hashOf(record: ImageRecord): string | undefined {
  return record.copy ? record.copy.sha1 : record.files?.[0]?.sha1;
}
