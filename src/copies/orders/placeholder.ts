/**
 * The record of an image while it is being copied: a placeholder made from the source's manifest, which is later marked
 * as failed or made usable.
 *
 * A placeholder is stored as `creating` (an older IMGAPI on the same bucket knows that state) with a `copy` mark. It
 * holds a full snapshot of the manifest, so that the copy can be finished even if the source is gone. The table in
 * `lib/manifest/travel.ts` says which fields come along.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { WithStore } from '#lib/documents/store.ts';
import { exceedsAclLimit, recordWithEntries, replaceUuidEntries } from '#lib/manifest/acl.ts';
import { MAX_ACL_ENTRIES } from '#lib/manifest/acl-entry.ts';
import type { FieldProblem } from '#lib/manifest/problem.ts';
import type { Compression, FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { asList, recordFields } from '#lib/manifest/stored.ts';
import { refreshedRecord, travellingManifest } from '#lib/manifest/travel.ts';
import { validateManifest } from '#lib/manifest/validate.ts';
import { redact } from '#lib/text/redact.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { ForeignFile, SourceImage } from '../../datacenters/sources/source.ts';
import { importedOwner } from '../../images/record/new-record.ts';
import { assertNoProblems, rulesOf } from '../../images/record/rules.ts';
import { withState } from '../../images/record/state.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { CopyFailure } from '../documents/failures.ts';
import { marksOf } from './marks.ts';

/** The file of an image as its source describes it. */
export interface SourceFileFacts extends ForeignFile {
  readonly compression: Compression;
}

/** An image that is to be copied here. */
export interface Incoming {
  readonly uuid: string;
  readonly file: SourceFileFacts;
  readonly icon: boolean;
  /** The record as it will be once usable, except for `files`, `icon` and `activated`. */
  readonly record: ImageRecord;
}

/** Who the copy is for, and where it comes from. */
export interface IncomingContext {
  readonly source: string;
  /** `own`: an account copies its image over a link. `all`: an operator imports it. */
  readonly policy: ChainPolicy;
  /** With `all`: the channels to put the image into. */
  readonly channels?: readonly string[];
}

export const CHAIN_POLICIES = ['own', 'all'] as const;
/** Which origins come along: only those that the account owns, or all of them. */
export type ChainPolicy = (typeof CHAIN_POLICIES)[number];

/** @throws 422 ValidationFailed if the image cannot be kept here; 400 NotImplemented */
export function incomingImage(service: WithStore & WithConfig, image: SourceImage, context: IncomingContext): Incoming {
  const { owner } = image.manifest;
  const uuid = String(image.manifest['uuid']);
  const file = soleFile(uuid, image);
  const fields = travellingFields(service, image.manifest, context);
  const base = {
    v: 2,
    ...fields,
    activated: false,
    state: 'creating',
    copied_from: {
      datacenter: context.source,
      at: new Date(service.store.now()).toISOString(),
      ...(typeof owner === 'string' && { owner }),
    },
    ...(context.channels && { channels: context.channels }),
  };
  const record = withShares(base as unknown as ImageRecord, image);
  const problems = [...fileProblems(service, file), ...keptProblems(service, record, file)];
  assertNoProblems(problems, `image "${uuid}" cannot be stored here: `);
  return { uuid, file, icon: image.manifest['icon'] === true, record };
}

function travellingFields(
  service: WithStore & WithConfig,
  manifest: SourceImage['manifest'],
  { policy }: IncomingContext,
): Record<string, unknown> {
  // A record keeps the ACL in other fields, and gets `files` and `icon` only once the bytes are here.
  const { acl, files, icon, ...going } = travellingManifest(manifest, policy === 'all' ? 'import-remote' : 'copy');
  const fields = recordFields({ disabled: false, ...going });
  // A link never makes an image public here: accounts that trust nobody over there would be offered it.
  if (policy === 'own') return { ...fields, public: false };
  const { mode } = service.config;
  const isPublic = mode === 'dc' ? (fields['public'] ?? false) : mode === 'public';
  return { ...fields, owner: importedOwner(service, fields['owner']), public: isPublic };
}

function soleFile(uuid: string, { files, manifest }: SourceImage): SourceFileFacts {
  const [file] = files;
  if (!file || files.length > 1) {
    const message = `image "${uuid}" has ${files.length} files at the source; only images with exactly one file can be copied`;
    throw new ApiError('NotImplemented', message);
  }
  const { compression } = file;
  if (compression) return { ...file, compression };
  const shown = redact(JSON.stringify(manifest['files'])).slice(0, 200);
  throw new ApiError('ValidationFailed', `image "${uuid}" has an invalid file at the source`, {
    errors: [{ field: 'files', code: 'Invalid', message: `files is ${shown}` }],
  });
}

/**
 * What would be wrong with the record as an image of this datacenter, under the same limits as uploads and shares. The
 * record is checked as if it were usable already, so that an invalid image is refused before its bytes come.
 */
function keptProblems(service: WithStore & WithConfig, record: ImageRecord, file: SourceFileFacts): FieldProblem[] {
  const { icon: _, ...rest } = record;
  const whole = { ...rest, activated: true, state: 'active', files: [{ ...file, stor: 'local' }] };
  return [...validateManifest(whole, rulesOf(service)), ...aclProblems(record)];
}

function fileProblems({ config }: WithConfig, { size }: SourceFileFacts): FieldProblem[] {
  const { fileBytes } = config.limits;
  if (size <= fileBytes) return [];
  const message = `the file has ${size} bytes; at most ${fileBytes} are allowed here (limits.fileBytes)`;
  return [{ field: 'files', code: 'Invalid', message }];
}

function aclProblems(record: ImageRecord): FieldProblem[] {
  if (!exceedsAclLimit({}, record)) return [];
  return [{ field: 'acl', code: 'Invalid', message: `acl must have at most ${MAX_ACL_ENTRIES} entries` }];
}

function uuidEntries({ manifest }: SourceImage): string[] {
  const acl = asList(manifest['acl']);
  return Array.isArray(acl) ? [...new Set(acl.filter(isUuid))] : [];
}

/** Only links bring logins. They come with the accounts they are pinned to, and are never looked up again. */
function withShares(record: ImageRecord, image: SourceImage): ImageRecord {
  const { shares, left = [] } = image;
  const left_uuids = left.map(({ entry }) => entry).filter(isUuid);
  const marked = left_uuids.length > 0 ? { ...record, left_uuids } : record;
  if (!shares) return replaceUuidEntries(marked, uuidEntries(image));
  const leavers = new Map(left.map((share) => [share.entry, share.account]));
  const pinned = shares.map((share) => {
    const account = isUuid(share.entry) ? undefined : leavers.get(share.entry);
    return account === undefined ? share : { ...share, account };
  });
  return recordWithEntries(
    marked,
    pinned,
    [...leavers.values()].filter((account) => account !== undefined),
  );
}

/** The record to store while the bytes are on their way. */
export function livePlaceholder({ record, file }: Incoming, source: string): ImageRecord {
  return { ...record, copy: { state: 'live', datacenter: source, sha1: file.sha1, size: file.size } };
}

/**
 * The placeholder of a failed copy, when the same file is ordered again. The bytes that are here are kept, and with them
 * where they came from: whoever is the source now may never have had them.
 */
export function revivedPlaceholder(
  failed: ImageRecord,
  incoming: Incoming,
  source: string,
  transfer: { readonly staged?: string } | undefined,
): ImageRecord {
  const { files, icon, intent, rev, copied_from: from } = failed;
  const hasBytes = files !== undefined || intent !== undefined || transfer?.staged !== undefined;
  const copied_from = hasBytes && from?.datacenter !== source ? from : undefined;
  return { ...livePlaceholder(incoming, source), ...definedOnly({ files, icon, intent, rev, copied_from }) };
}

export function failedPlaceholder(record: ImageRecord, { code, message }: CopyFailure): ImageRecord {
  if (!record.copy) return record;
  return { ...record, state: 'failed', error: { code, message }, copy: { ...record.copy, state: 'failed' } };
}

/**
 * The placeholder, updated in the fields that may change while it is being copied. All others stay as ordered, because
 * the bytes belong to them. @throws ApiError if the image could not be kept here like that
 */
export function refreshedPlaceholder(
  service: WithStore & WithConfig,
  placeholder: ImageRecord,
  { record: there, file }: Incoming,
): ImageRecord {
  const refreshed = refreshedRecord(placeholder, there, 'reread');
  const { copy: _, ...rest } = refreshed;
  assertNoProblems(keptProblems(service, rest, file));
  return refreshed;
}

/** The record once all bytes are safe. */
export function usableRecord(placeholder: ImageRecord, now: number): ImageRecord {
  const { copy: _copy, error: _error, expires_at: _expires, ...record } = placeholder;
  const marks = marksOf(record);
  return withState({
    ...record,
    activated: true,
    published_at: record.published_at ?? new Date(now).toISOString(),
    ...(marks && { copied_marks: marks }),
  });
}

/** The file's record as soon as it is in its place. */
export function fileRecord(
  file: SourceFileFacts,
  placed: Pick<FileRecord, 'contentMD5' | 'mtime' | 'stor' | 'sha256'>,
): FileRecord {
  const { sha1, size, compression, dataset_guid } = file;
  return { sha1, size, compression, ...(dataset_guid !== undefined && { dataset_guid }), ...placed };
}

function definedOnly<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
