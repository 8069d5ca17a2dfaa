/** Turns a client's manifest into a record that can be stored; shared by CreateImage and AdminImportImage. */

import type { Accounts } from '#lib/accounts/accounts.ts';
import { ApiError, type FieldError, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import { isObject, MANIFEST_FIELDS, VERSION_3_FIELDS, ZVOL_FIELDS } from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { recordFields } from '#lib/manifest/stored.ts';
import { isMinimalPlaceholder, validateManifest } from '#lib/manifest/validate.ts';
import { isUuid, NIL_UUID } from '#lib/text/uuid.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { Viewer } from './access.ts';
import type { Records, StoredImage } from './load.ts';
import { originDoesNotExist } from './origins.ts';
import { findVisible } from './references.ts';
import { assertNoProblems, rulesOf } from './rules.ts';

/** What knows the accounts of the cloud, if it has a directory. */
interface Directory extends WithConfig {
  readonly accounts: Accounts | undefined;
}

export type Manifest = Readonly<Record<string, unknown>>;

/** @throws 422 ValidationFailed body */
export function assertManifest(body: unknown): asserts body is Manifest {
  if (isObject(body)) return;
  throw validationFailed('body', 'the body must be a JSON object (Content-Type: application/json)', 'MissingParameter');
}

/** An owner that is not a UUID is left to manifest validation. @throws 422 OwnerDoesNotExist */
export async function assertOwnerExists(service: Directory, owner: unknown): Promise<void> {
  if (service.config.mode !== 'dc' || !service.accounts || !isUuid(owner)) return;
  if (owner === service.config.adminUuid || (await service.accounts.byUuid(owner))) return;
  throw new ApiError('OwnerDoesNotExist', `owner "${owner}" is not an account of this cloud`);
}

/**
 * The owner of an imported image. Outside `dc` mode that is always the nil UUID ("nobody"); in `dc` mode, an image owned
 * by nobody goes to the admin account.
 */
export function importedOwner(service: WithConfig, owner: unknown): unknown {
  if (service.config.mode !== 'dc') return NIL_UUID;
  return owner === NIL_UUID ? service.config.adminUuid : owner;
}

/**
 * The origin, if there is one. An account must be able to see it, or the answer would tell it which UUIDs exist.
 * @throws 422 OriginDoesNotExist, 422 OriginIsNotActive, 422 ValidationFailed origin
 */
export async function assertOriginUsable(
  service: Records,
  viewer: Viewer,
  manifest: Manifest,
): Promise<StoredImage | undefined> {
  const { origin } = manifest;
  if (!isUuid(origin)) return undefined;
  const stored = await findVisible(service, origin, viewer);
  if (!stored) throw originDoesNotExist(origin);
  if (!stored.value.activated) throw new ApiError('OriginIsNotActive', `origin image "${origin}" is not activated`);
  if ((stored.value.type === 'zvol') !== (manifest['type'] === 'zvol')) {
    const types = `${stored.value.type} image "${origin}" cannot be the origin of an image of type ${shown(manifest['type'])}`;
    throw validationFailed('origin', types);
  }
  return stored;
}

/** Fields that the image cannot have count as unknown. @throws 422 InvalidParameter naming all of them */
export function assertKnownFields(manifest: Manifest, allowed: readonly string[]): void {
  const isZvol = manifest['type'] === 'zvol';
  const known = new Set(allowed);
  const unknown = Object.keys(manifest).filter(
    (field) => !known.has(field) || isOutOfPlace(field, manifest[field], isZvol),
  );
  if (unknown.length === 0) return;
  const errors = unknown.map((field): FieldError => ({ field, code: 'Invalid' }));
  throw new ApiError('InvalidParameter', `invalid image data: unknown fields ${unknown.join(', ')}`, { errors });
}

/** What is empty is left out when the image is stored, and does no harm. */
function isOutOfPlace(field: string, value: unknown, isZvol: boolean): boolean {
  if (!value) return false;
  if (field === 'published_at') return typeof value !== 'string';
  return !isZvol && (ZVOL_FIELDS as readonly string[]).includes(field);
}

/** What an image shows and no client decides: a manifest that was read goes back in, and these have no effect. */
const COMPUTED = ['owner_login', 'shared_as', 'left_by', 'accepted_by', 'copied_from', 'cloned_from'];
/** The same, and second names of other fields, that CloudAPI adds. */
const COMPUTED_BY_CLOUDAPI = ['id', 'shared_with'];
const DROPPED = ['files', 'state', ...COMPUTED, ...COMPUTED_BY_CLOUDAPI];
const SERVER_CHOSEN = ['uuid', 'published_at', 'urn', 'activated'];
const SENT_FIELDS: readonly string[] = [...MANIFEST_FIELDS, ...DROPPED];
const CREATE_FIELDS = SENT_FIELDS.filter((field) => !SERVER_CHOSEN.includes(field));
const NEWER: readonly string[] = VERSION_3_FIELDS;
const CREATE_FIELDS_OF_OLD = CREATE_FIELDS.filter((field) => !NEWER.includes(field));

export function createFields(version: ImgapiVersion): readonly string[] {
  return version === 3 ? CREATE_FIELDS : CREATE_FIELDS_OF_OLD;
}

export const IMPORT_FIELDS = SENT_FIELDS.filter((field) => field !== 'activated');

/** What a record has, whatever its manifest says. */
export type FixedFields = Partial<Pick<ImageRecord, 'state' | 'type' | 'os' | 'expires_at'>>;

/** The validated record of an image that is not activated yet. @throws 422 ValidationFailed */
export function newRecord(
  service: WithConfig,
  uuid: string,
  manifest: Manifest,
  channel: string | undefined,
  fixed: FixedFields = {},
): ImageRecord {
  const kept = Object.fromEntries(
    Object.entries(manifest).filter(([field]) => !DROPPED.includes(field) && field !== 'channels'),
  );
  const record = {
    public: false,
    disabled: false,
    ...recordFields({ ...kept, v: kept['v'] ?? 2 }),
    uuid,
    activated: false,
    state: 'unactivated',
    ...fixed,
    ...(channel !== undefined && { channels: [channel] }),
  };
  assertValid(service, record);
  // Empty drivers and sizes ("", 0) are not stored.
  const entries = Object.entries(record).filter(
    ([field, value]) => value || !(ZVOL_FIELDS as readonly string[]).includes(field),
  );
  const stored = Object.fromEntries(entries) as unknown as ImageRecord;
  // A zvol needs them, so it does not pass without.
  assertValid(service, stored);
  return stored;
}

/** @throws 422 ValidationFailed listing all problems */
export function assertValid(service: WithConfig, record: object): void {
  const rules = rulesOf(service);
  const minimal = isMinimalPlaceholder(record as Manifest, rules.mode);
  assertNoProblems(validateManifest(record as Manifest, { ...rules, minimal }));
}
