/** CreateImage and AdminImportImage: create an unactivated record without a file. */

import { ApiError, invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import { EtagConflictError, UniqueAttributeError } from '#lib/documents/errors.ts';
import type { Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import { shown } from '#lib/manifest/problem.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { asList } from '#lib/manifest/stored.ts';
import { upgradeManifest } from '#lib/manifest/upgrade.ts';
import { isUuid, newUuid } from '#lib/text/uuid.ts';
import type { Service } from '../service/service.ts';
import { createOnce } from './create-once.ts';
import { creation } from './events/changes.ts';
import { causeOf, eventWrites } from './events/event.ts';
import { withRightPlatform } from './lx-platform.ts';
import { quotaWrites } from './quotas/guard.ts';
import { decideFor, OPERATOR, type Viewer } from './record/access.ts';
import { assertStaysServed } from './record/change.ts';
import { assertNoCycle } from './record/cycles.ts';
import { loadImage, loadRaw, type StoredImage } from './record/load.ts';
import {
  assertKnownFields,
  assertManifest,
  assertOriginUsable,
  assertOwnerExists,
  createFields,
  IMPORT_FIELDS,
  importedOwner,
  type Manifest,
  newRecord,
} from './record/new-record.ts';
import { oneAtATime } from './record/one-at-a-time.ts';
import { putRecord, touchOrigin } from './record/record-write.ts';
import { currentRecord } from './record/tombstones.ts';
import { assertEntries, writeAcl } from './sharing/shares.ts';

export interface CreateRequest {
  readonly body: unknown;
  readonly account: string | undefined;
  readonly channel: string | undefined;
  readonly version: ImgapiVersion;
  /** For the log of events. */
  readonly requestId: string;
  /** Whoever asks again with the same one gets the same image. */
  readonly key?: string | undefined;
}

/** The order of the checks is known to clients. */
export async function createImage(service: Service, request: CreateRequest): Promise<StoredImage> {
  assertManifest(request.body);
  const manifest = ownedBy(upgradeManifest(request.body), request.account);
  // Checked on the body as sent: upgrading an old manifest adds a state.
  if (request.body['state'] !== undefined) {
    throw validationFailed('state', '"state" is set by the server; leave it out', 'NotAllowed');
  }
  const viewer = { account: request.account };
  const create = async (uuid: string): Promise<StoredImage> => {
    await assertOwnerExists(service, manifest['owner']);
    await assertOriginUsable(service, viewer, manifest);
    assertKnownFields(manifest, createFields(request.version));
    const by = { ...viewer, requestId: request.requestId };
    return insert(service, by, await recordOf(service, uuid, manifest, request));
  };
  const { key } = request;
  return key === undefined ? create(newUuid()) : createOnce(service, { viewer, key, manifest, create });
}

export interface ImportRequest extends Omit<CreateRequest, 'account' | 'key'> {
  readonly uuid: string;
  readonly skipOwnerCheck: boolean;
  /** The manifest comes from another IMGAPI; its origin need not be here yet. */
  readonly fromSource?: boolean;
  /** The client's. */
  readonly userAgent?: string | undefined;
  /** Removes the placeholder of a failed copy. @throws EtagConflictError when it has changed since it was read */
  readonly removePlaceholder: (placeholder: StoredImage) => Promise<void>;
  /** Called if there is no such image yet. Throws if there must not be one now. */
  readonly beforeNew: (uuid: string) => Promise<void>;
}

/** AdminImportImage: keeps the UUID and date of another server's image. */
export async function importImage(service: Service, request: ImportRequest): Promise<StoredImage> {
  assertManifest(request.body);
  assertSameUuid(request.body, request.uuid);
  const manifest = upgradeManifest(request.body);
  const replaced = await makeRoom(service, request);
  if (!replaced) await request.beforeNew(request.uuid);
  const origin = request.fromSource ? undefined : await assertOriginUsable(service, OPERATOR, manifest);
  const rightly = withRightPlatform(manifest, origin?.value, request.userAgent);
  const owned = { ...rightly, owner: importedOwner(service, manifest['owner']) };
  if (!request.skipOwnerCheck) await assertOwnerExists(service, owned.owner);
  assertKnownFields(owned, IMPORT_FIELDS);
  const record = await recordOf(service, request.uuid, owned, request);
  const by = { ...OPERATOR, requestId: request.requestId };
  return insert(service, by, record, { over: replaced, foreignOrigin: request.fromSource ?? false });
}

/** @throws 422 ValidationFailed body, 422 InvalidParameter uuid */
export function assertSameUuid(manifest: unknown, uuid: string): void {
  assertManifest(manifest);
  if (manifest['uuid'] === uuid) return;
  throw invalidParameter('uuid', `the manifest has uuid ${shown(manifest['uuid'])}, but the path has "${uuid}"`);
}

function ownedBy(manifest: Manifest, account: string | undefined): Manifest {
  if (account === undefined) return manifest;
  const owner = manifest['owner'];
  if (owner !== undefined && owner !== account) {
    throw invalidParameter('owner', `owner is ${shown(owner)}; an account can create images only as their owner`);
  }
  return { ...manifest, owner: account };
}

async function recordOf(
  service: Service,
  uuid: string,
  manifest: Manifest,
  { version, channel }: { readonly version: ImgapiVersion; readonly channel: string | undefined },
): Promise<{ record: ImageRecord; also: readonly Write[] }> {
  const { acl: given, ...rest } = manifest;
  const acl = asList(given);
  if (acl === undefined || acl === null) return { record: newRecord(service, uuid, rest, channel), also: [] };
  // What cannot be an ACL in this version is reported together with the manifest's other problems.
  const isList = Array.isArray(acl) && (version === 3 || acl.every(isUuid));
  if (!isList) return { record: newRecord(service, uuid, manifest, channel), also: [] };
  assertEntries(service, acl, version);
  return writeAcl(service, newRecord(service, uuid, rest, channel), acl, version);
}

/**
 * The record that an import may overwrite, or null if there is none (any more): an image that is created from a machine
 * begins as a placeholder, which its import completes. @throws 409 ImageUuidAlreadyExists
 */
export function makeRoom(
  service: Service,
  { uuid, fromSource = false, removePlaceholder }: Pick<ImportRequest, 'uuid' | 'fromSource' | 'removePlaceholder'>,
): Promise<StoredImage | null> {
  return retryOnConflict(async () => {
    const stored = await currentRecord(service, uuid);
    if (!stored) return null;
    const { value: record } = stored;
    const outcome = decideFor(record, OPERATOR, 'admin-import');
    if (outcome === 'replace-placeholder') {
      await removePlaceholder(stored);
      return null;
    }
    const mayOverwrite = outcome === 'as-usual' && record.state === 'creating' && !fromSource;
    if (mayOverwrite) return stored;
    throw alreadyExists(uuid);
  });
}

function alreadyExists(uuid: string, cause?: unknown): ApiError {
  return new ApiError('ImageUuidAlreadyExists', `image "${uuid}" already exists`, { cause });
}

/** In one batch with what belongs to it, and with its origin's. */
export async function insert(
  service: Service,
  viewer: Viewer & { readonly requestId?: string | undefined },
  { record, also }: { readonly record: ImageRecord; readonly also: readonly Write[] },
  { over = null, foreignOrigin = false }: { over?: StoredImage | null; foreignOrigin?: boolean } = {},
): Promise<StoredImage> {
  assertStaysServed(service, record);
  const counted = over?.value.rev === undefined ? record : { ...record, rev: over.value.rev };
  // Conflicts come from other changes to the origin, such as another child being added.
  await retryOnConflict(() =>
    oneAtATime(service, record.origin ?? record.uuid, async () => {
      const origin = await originWrites(service, viewer, record, foreignOrigin);
      const told = eventWrites(service, record, causeOf(viewer), creation(record));
      const kept = await quotaWrites(service, [{ before: over?.value, after: record }], viewer);
      const writes = [putRecord(counted, over?.etag ?? null), ...origin, ...also, ...told, ...kept];
      await service.store.batch(writes).catch((error: unknown) => {
        throw insertProblem(record, error);
      });
    }),
  );
  const stored = await loadRaw(service, record.uuid);
  if (!stored) throw new ApiError('Conflict', `image "${record.uuid}" was deleted right after it was created`);
  return stored;
}

/** @param mayBeAbsent the image comes from another IMGAPI, and may arrive before its origin */
async function originWrites(
  service: Service,
  viewer: Viewer,
  { uuid, origin }: ImageRecord,
  mayBeAbsent: boolean,
): Promise<Write[]> {
  if (origin === undefined) return [];
  await assertNoCycle(service, [uuid], origin);
  if (mayBeAbsent && !(await loadImage(service, origin))) return [];
  return [await touchOrigin(service, origin, viewer)];
}

function insertProblem(record: ImageRecord, error: unknown): unknown {
  if (error instanceof EtagConflictError && error.key === record.uuid) return alreadyExists(record.uuid, error);
  if (!(error instanceof UniqueAttributeError) || error.field !== 'urn') return error;
  return validationFailed('urn', `another image has the urn "${record.urn}"`);
}
