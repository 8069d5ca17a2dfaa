/** UpdateImage: some fields for the owner, some for operators; what an activated image's bytes depend on is fixed. */

import { ApiError, type FieldError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import type { Write } from '#lib/documents/store.ts';
import { recordWithEntries } from '#lib/manifest/acl.ts';
import {
  ADMIN_ONLY_FIELDS,
  FIXED_ONCE_ACTIVATED,
  isObject,
  MUTABLE_FIELDS,
  SETTABLE_STATES,
  VERSION_3_FIELDS,
} from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import { asList, recordFields, tagFields } from '#lib/manifest/stored.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Service } from '../service/service.ts';
import { assertFilePlacementSettled, assertNothingPlaced } from './files/file-placement.ts';
import type { Viewer } from './record/access.ts';
import { type ChangeRequest, changeImage } from './record/change.ts';
import { assertNoCycle } from './record/cycles.ts';
import { assertReplacementVisible, withDeprecationSettled } from './record/deprecation.ts';
import { loadImage, type StoredImage } from './record/load.ts';
import { assertOriginUsable, assertOwnerExists, assertValid, type Manifest } from './record/new-record.ts';
import { touchOrigin } from './record/record-write.ts';
import { shownState } from './record/serialize.ts';
import { renameImage } from './renaming/rename-image.ts';
import { assertEntries, pendingSharesOf, writeAcl } from './sharing/shares.ts';

export interface UpdateRequest extends ChangeRequest {
  readonly body: unknown;
  readonly version: ImgapiVersion;
  /** Of the caller: ends what takes long. */
  readonly signal: AbortSignal;
  /** Throws if the image has to keep its UUID for now, or no other image may get that one. */
  readonly beforeRename: (uuid: string, to: string) => Promise<void>;
}

const MUTABLE: ReadonlySet<string> = new Set(MUTABLE_FIELDS);
const ADMIN_ONLY: ReadonlySet<string> = new Set(ADMIN_ONLY_FIELDS);
const NEWER: ReadonlySet<string> = new Set(VERSION_3_FIELDS);
const FIXED: ReadonlySet<string> = new Set(FIXED_ONCE_ACTIVATED);
/** The only properties of `files[0]` that can be written. */
const FILE_KEYS: ReadonlySet<string> = new Set(['digest', 'uncompressedDigest']);

/** @throws 422 ValidationFailed listing all fields that are not allowed, or all that are invalid */
export async function updateImage(service: Service, request: UpdateRequest): Promise<StoredImage> {
  const changes = readBody(request.body);
  const updated = (record: ImageRecord): Promise<Updated> => update(service, request, changes, record);
  const { uuid: to } = changes;
  if (isUuid(to) && to !== request.uuid) return renameImage(service, { ...request, to, renamed: updated });
  if (changes['owner'] !== undefined) await assertFilePlacementSettled(service, request.uuid);
  return changeImage(service, request, updated);
}

interface Updated {
  readonly record: ImageRecord;
  readonly also: readonly Write[];
}

async function update(
  service: Service,
  request: UpdateRequest,
  changes: Manifest,
  record: ImageRecord,
): Promise<Updated> {
  const { viewer } = request;
  assertAllowed(changes, record, request);
  const { acl, ...fields } = changes;
  const merged = withDeprecationSettled(merge(record, fields), fields);
  assertStateTaken(fields, merged);
  await assertReplacementVisible(service, viewer, fields['replaced_by']);
  // An upload of the former owner must not be finished in the new owner's image.
  if (merged.owner !== record.owner) assertNothingPlaced(record);
  if (isGiftWithOrigin(request, record, merged)) {
    assertNoEntries(acl);
    return checked(service, viewer, record, recordWithEntries({ ...merged, left_uuids: [] }, [], []), []);
  }
  if (acl === undefined) {
    const shares = merged.uuid === record.uuid ? [] : pendingSharesOf(service, merged);
    return checked(service, viewer, record, merged, shares);
  }
  const names: unknown = asList(acl) ?? [];
  assertEntries(service, names, request.version);
  const shared = await writeAcl(service, merged, names, request.version);
  return checked(service, viewer, record, shared.record, shared.also);
}

/**
 * A share also opens the image's origins that belong to the same owner, and clones include them. Only the new owner may
 * decide which of its images to open, so an account can give away an image with an origin only if it is not shared.
 */
function isGiftWithOrigin({ viewer: { account } }: UpdateRequest, before: ImageRecord, after: ImageRecord): boolean {
  return account !== undefined && after.origin !== undefined && after.owner !== before.owner;
}

/** @throws 422 ValidationFailed acl */
function assertNoEntries(acl: unknown): void {
  if (acl === undefined || acl === null || (Array.isArray(acl) && acl.length === 0)) return;
  const message = 'leave out "acl": when an image with an origin gets a new owner, only that owner may share it';
  throw validationFailed('acl', message, 'NotAllowed');
}

function readBody(body: unknown): Manifest {
  if (!isObject(body)) {
    throw validationFailed('body', 'the body must be a JSON object with the fields to change', 'MissingParameter');
  }
  if (Object.keys(body).length === 0) {
    throw new ApiError('ValidationFailed', 'the body names no field to change', { errors: [] });
  }
  return body;
}

function assertAllowed(changes: Manifest, record: ImageRecord, request: UpdateRequest): void {
  const refused = Object.keys(changes).flatMap((field) => refusal(field, changes[field], record, request));
  if (refused.length === 0) return;
  const fields = refused.map(({ field }) => field).join(', ');
  throw new ApiError('ValidationFailed', `invalid image update data: ${fields}`, { errors: refused });
}

function refusal(field: string, value: unknown, record: ImageRecord, request: UpdateRequest): FieldError[] {
  const { account } = request.viewer;
  const notAllowed = (message: string, name = field): FieldError => ({ field: name, code: 'NotAllowed', message });
  if (!MUTABLE.has(field) && !ADMIN_ONLY.has(field)) return [notAllowed(`"${field}" cannot be changed`)];
  if (NEWER.has(field) && request.version !== 3) {
    return [notAllowed(`"${field}" needs API version 3: send Accept-Version: ~3`)];
  }
  if (ADMIN_ONLY.has(field) && account !== undefined) return [notAllowed(`only operators may change "${field}"`)];
  if (FIXED.has(field) && record.activated) return [notAllowed(`"${field}" is fixed once the image is activated`)];
  if (field === 'state' && !(SETTABLE_STATES as readonly unknown[]).includes(value)) {
    return [{ field, code: 'Invalid', message: `"state" must be one of ${SETTABLE_STATES.join(', ')}` }];
  }
  return field === 'files' ? fileRefusals(value, record) : [];
}

function fileRefusals(value: unknown, record: ImageRecord): FieldError[] {
  const bad = (message: string): FieldError[] => [{ field: 'files', code: 'NotAllowed', message }];
  const [current] = record.files ?? [];
  if (!Array.isArray(value) || value.length !== 1 || !isObject(value[0])) {
    return [{ field: 'files', code: 'Invalid', message: '"files" must be an array of one object' }];
  }
  if (!current) return bad('the image has no file, so its digests cannot be set');
  const stored = current as unknown as Manifest;
  const changed = Object.entries(value[0]).find(([key, item]) => !FILE_KEYS.has(key) && item !== stored[key]);
  return changed ? bad(`"files[0].${changed[0]}" cannot be changed; only digest and uncompressedDigest can`) : [];
}

/**
 * An image's state follows from activation and the flag `disabled`; an operator may also mark its creation as failed,
 * and take that back. A `state` that the image would not show afterwards is refused, and so is an `error` that nobody
 * would see.
 */
function assertStateTaken({ state, error }: Manifest, merged: ImageRecord): void {
  const becomes = shownState(merged, 2);
  if (state !== undefined && state !== becomes) {
    const message = `"state" cannot become ${shown(state)}: the image would be ${becomes}; ${WAYS}`;
    throw validationFailed('state', message, 'NotAllowed');
  }
  if (error !== undefined && error !== null && becomes !== 'failed') {
    const message = `"error" needs state "failed", and this image is ${becomes}; set both`;
    throw validationFailed('error', message, 'NotAllowed');
  }
}

const WAYS = 'use the actions activate, enable and disable';

function merge(record: ImageRecord, changes: Manifest): ImageRecord {
  const { files, tags, ...fields } = changes;
  const stored = recordFields(fields);
  const merged: Record<string, unknown> = { ...record, ...stored };
  // A null removes a field, and so does what is not stored at all, such as an empty description.
  for (const [field, value] of Object.entries(fields)) {
    if (value === null || !(field in stored)) delete merged[field];
  }
  if (tags === null) {
    delete merged['tags'];
    delete merged['tagsObj'];
  } else if (tags !== undefined) {
    Object.assign(merged, tagFields(tags));
  }
  if (Array.isArray(files)) merged['files'] = [withDigests(record.files?.[0], files[0] as Manifest)];
  return merged as unknown as ImageRecord;
}

function withDigests(file: FileRecord | undefined, changes: Manifest): unknown {
  const digests = Object.entries(changes).filter(([key]) => FILE_KEYS.has(key));
  return { ...file, ...Object.fromEntries(digests) };
}

async function checked(
  service: Service,
  viewer: Viewer,
  before: ImageRecord,
  record: ImageRecord,
  also: readonly Write[],
): Promise<Updated> {
  assertValid(service, record);
  if (record.owner !== before.owner) await assertOwnerExists(service, record.owner);
  const isOther = record.origin !== before.origin;
  if (!isUuid(record.origin) || !(isOther || record.uuid !== before.uuid)) return { record, also };
  await assertNoCycle(service, [record.uuid], record.origin);
  if (isOther) await assertOriginUsable(service, viewer, record as unknown as Manifest);
  // What was imported from another IMGAPI may be here before its origin.
  else if (!(await loadImage(service, record.origin))) return { record, also };
  return { record, also: [...also, await touchOrigin(service, record.origin, viewer)] };
}
