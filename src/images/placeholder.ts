/** The record of an image that is about to be made from a machine: its import, which brings the rest, takes its place. */
import { invalidParameter, validationFailed } from '#lib/api/errors/api-error.ts';
import type { Write } from '#lib/documents/store.ts';
import { ZVOL_FIELDS } from '#lib/manifest/fields.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Service } from '../service/service.ts';
import { insert } from './create.ts';
import type { Viewer } from './record/access.ts';
import type { StoredImage } from './record/load.ts';
import { assertKnownFields, createFields, type Manifest, newRecord } from './record/new-record.ts';
import { placeholderExpiry } from './record/placeholder-expiry.ts';

export interface PlaceholderRequest {
  readonly uuid: string;
  readonly manifest: Manifest;
  readonly viewer: Viewer;
  /** For the log of events. */
  readonly requestId: string;
  readonly channel: string | undefined;
  /** Written in the same batch. */
  readonly also: readonly Write[];
}

/** Known only when it is there. */
const LATER: ReadonlySet<string> = new Set(['type', 'os', 'v', ...ZVOL_FIELDS]);

/** @throws 422 InvalidParameter, ValidationFailed, OriginDoesNotExist; 409 ImageUuidAlreadyExists */
export function createPlaceholder(service: Service, request: PlaceholderRequest): Promise<StoredImage> {
  const { uuid, manifest, viewer, requestId, channel, also } = request;
  // An account that names a UUID would learn of images that it cannot see.
  const fields = createFields(2);
  assertKnownFields(manifest, viewer.account === undefined ? [...fields, 'uuid'] : fields);
  assertPlainAcl(manifest['acl']);
  const known = Object.fromEntries(Object.entries(manifest).filter(([field]) => !LATER.has(field)));
  const record = newRecord(service, uuid, { ...known, v: 2 }, channel, {
    state: 'creating',
    type: 'null',
    os: 'null',
    expires_at: placeholderExpiry(service),
  });
  return insert(service, { ...viewer, requestId }, { record, also });
}

/** The node that brings the image knows UUIDs only. */
function assertPlainAcl(acl: unknown): void {
  if (!Array.isArray(acl) || acl.every(isUuid)) return;
  throw validationFailed('acl', 'acl must be a list of UUIDs; share the image by login once it is there');
}

/** @throws 422 */
export function assertUuidOrNone(uuid: unknown): void {
  if (uuid === undefined || isUuid(uuid)) return;
  throw invalidParameter('uuid', `uuid is ${JSON.stringify(uuid)}; it must be a lower-case UUID`);
}
