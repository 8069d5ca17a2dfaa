/**
 * The image's own record on its way: made from the source's manifest as a placeholder, marked as failed, or made
 * usable.
 *
 * A placeholder is stored as `creating` (an older IMGAPI on the same bucket knows that) with a `copy` mark, and holds
 * the whole snapshot of the manifest, so that the copy can be finished after the source is gone. What belongs to a
 * datacenter stays behind: storage names, channels, billing tags, traits.
 */
import { recordWithEntries, replaceUuidEntries } from '#lib/manifest/acl.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { problemSummary } from '#lib/manifest/problem.ts';
import { COMPRESSIONS, type Compression, type FileRecord, type ImageRecord } from '#lib/manifest/record.ts';
import { recordFields } from '#lib/manifest/stored.ts';
import { validateManifest } from '#lib/manifest/validate.ts';
import { isUuid } from '#lib/uuid.ts';
import type { SourceImage } from '../datacenters/source.ts';
import { ApiError } from '../errors/api-error.ts';
import { importedOwner } from '../images/new-record.ts';
import type { Service } from '../service.ts';
import type { CopyFailure } from './model.ts';

/** The file of an image as its source describes it. */
export interface SourceFileFacts {
  readonly sha1: string;
  readonly sha256?: string;
  readonly size: number;
  readonly compression: Compression;
  readonly dataset_guid?: string;
}

/** An image that is to come here. */
export interface Incoming {
  readonly uuid: string;
  readonly file: SourceFileFacts;
  readonly icon: boolean;
  /** As it will be when it is usable, but for `files`, `icon` and `activated`. */
  readonly record: ImageRecord;
}

/** Who the copy is for, and where it comes from. */
export interface IncomingContext {
  readonly source: string;
  /** `own`: an account's image over a link. `all`: an operator imports it. */
  readonly policy: ChainPolicy;
  /** `all`: the channel that the image is put into. */
  readonly channels?: readonly string[];
}

export const CHAIN_POLICIES = ['own', 'all'] as const;
/** Which origins come along: only those that the account owns, or all. */
export type ChainPolicy = (typeof CHAIN_POLICIES)[number];

/** What the manifest describes, as opposed to what the datacenter that holds it decides. */
const TRAVELLING_FIELDS = [
  ...['uuid', 'owner', 'name', 'version', 'description', 'homepage', 'eula', 'disabled', 'published_at', 'public'],
  ...['type', 'os', 'origin', 'requirements', 'users', 'tags', 'generate_passwords', 'inherited_directories'],
  ...['nic_driver', 'disk_driver', 'cpu_type', 'image_size'],
];
/** Unique in a datacenter; only an operator's import takes it along, as it always did. */
const OPERATOR_FIELDS = ['urn'];

const SHA1 = /^[0-9a-f]{40}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** @throws 422 ValidationFailed when it is no image that could be kept here; 400 NotImplemented */
export function incomingImage(service: Service, image: SourceImage, context: IncomingContext): Incoming {
  const uuid = String(image.manifest['uuid']);
  const file = fileFacts(uuid, image);
  const fields = travellingFields(service, image.manifest, context);
  const base = {
    v: 2,
    ...fields,
    activated: false,
    state: 'creating',
    copied_from: { datacenter: context.source, at: new Date(service.clock.now()).toISOString() },
    ...(context.channels ? { channels: context.channels } : {}),
  };
  assertValid(service, uuid, { ...base, ...(image.manifest['acl'] ? { acl: uuidEntries(image) } : {}) }, file);
  const record = withShares(base as unknown as ImageRecord, image);
  return { uuid, file, icon: image.manifest['icon'] === true, record };
}

function travellingFields(
  service: Service,
  manifest: SourceImage['manifest'],
  { policy }: IncomingContext,
): Record<string, unknown> {
  const names = policy === 'all' ? [...TRAVELLING_FIELDS, ...OPERATOR_FIELDS] : TRAVELLING_FIELDS;
  const picked = Object.fromEntries(
    names.filter((name) => manifest[name] !== undefined).map((name) => [name, manifest[name]]),
  );
  const fields = recordFields({ disabled: false, ...picked });
  // A link never brings a public image: it would be offered to accounts that trust nobody over there.
  if (policy === 'own') return { ...fields, public: false };
  const { mode } = service.config;
  const isPublic = mode === 'dc' ? (fields['public'] ?? false) : mode === 'public';
  return { ...fields, owner: importedOwner(service, fields['owner']), public: isPublic };
}

function fileFacts(uuid: string, { manifest, sha256 }: SourceImage): SourceFileFacts {
  const files: unknown = manifest['files'];
  const list: readonly unknown[] = Array.isArray(files) ? files : [];
  if (list.length !== 1) {
    throw new ApiError(
      'NotImplemented',
      `image "${uuid}" has ${list.length} files at the source; copies carry exactly one`,
    );
  }
  const [file] = list;
  const { sha1, size, compression, dataset_guid, sha256: stated } = isObject(file) ? file : {};
  const strong = sha256 ?? stated;
  const known = COMPRESSIONS.find((name) => name === compression);
  if (typeof sha1 !== 'string' || !SHA1.test(sha1) || !Number.isSafeInteger(size) || Number(size) < 0 || !known) {
    throw new ApiError('ValidationFailed', `image "${uuid}" has an invalid file at the source`, {
      errors: [{ field: 'files', code: 'Invalid', message: `files is ${JSON.stringify(files).slice(0, 200)}` }],
    });
  }
  return {
    sha1,
    size: Number(size),
    compression: known,
    ...(typeof strong === 'string' && SHA256.test(strong) ? { sha256: strong } : {}),
    ...(typeof dataset_guid === 'string' ? { dataset_guid } : {}),
  };
}

/** Everything is checked as if the image were usable already: what would be refused then is refused before it comes. */
function assertValid(service: Service, uuid: string, base: Record<string, unknown>, file: SourceFileFacts): void {
  const { mode, channels } = service.config;
  const whole = { ...base, activated: true, state: 'active', files: [{ ...file, stor: 'local' }] };
  const problems = validateManifest(whole, { mode, channels: channels !== undefined });
  if (problems.length === 0) return;
  const message = `image "${uuid}" of the source cannot be kept here: ${problemSummary(problems)}`;
  throw new ApiError('ValidationFailed', message, { errors: problems });
}

function uuidEntries({ manifest }: SourceImage): string[] {
  const { acl } = manifest;
  return Array.isArray(acl) ? [...new Set(acl.filter(isUuid))] : [];
}

/** Logins come only over links, with the accounts that they are pinned to, and are never looked up again. */
export function withShares(record: ImageRecord, image: SourceImage): ImageRecord {
  if (image.shares) return recordWithEntries(record, image.shares, []);
  return replaceUuidEntries(record, uuidEntries(image));
}

/** The record to store while the bytes are on their way. */
export function livePlaceholder({ record, file }: Incoming, source: string): ImageRecord {
  return { ...record, copy: { state: 'live', datacenter: source, sha1: file.sha1, size: file.size } };
}

/** A placeholder of a failed copy of the same file, taken up again; what is here of its bytes stays. */
export function revivedPlaceholder(failed: ImageRecord, incoming: Incoming, source: string): ImageRecord {
  const { files, icon, intent, rev } = failed;
  return { ...livePlaceholder(incoming, source), ...definedOnly({ files, icon, intent, rev }) };
}

export function failedPlaceholder(record: ImageRecord, { code, message }: CopyFailure): ImageRecord {
  if (!record.copy) return record;
  return { ...record, state: 'failed', error: { code, message }, copy: { ...record.copy, state: 'failed' } };
}

/**
 * The record once all bytes are safe. `fresh`: the manifest as it was read again, whose mutable fields count; absent
 * when the source could not be asked.
 */
export function usableRecord(placeholder: ImageRecord, fresh: Incoming | undefined, now: number): ImageRecord {
  const { copy: _copy, error: _error, expires_at: _expires, ...snapshot } = placeholder;
  const { files, icon, rev, public: isPublic, disabled, copied_from, published_at, channels, urn } = snapshot;
  const own = { files, icon, rev, public: isPublic, disabled, copied_from, published_at, channels };
  // A urn that it got meanwhile may be taken here, and would keep the copy from ever ending.
  const record = fresh ? definedOnly({ ...fresh.record, ...definedOnly(own), urn }) : snapshot;
  return {
    ...record,
    activated: true,
    state: record.disabled ? 'disabled' : 'active',
    published_at: record.published_at ?? new Date(now).toISOString(),
  };
}

/** The file's record as soon as it is in its place. */
export function fileRecord(
  file: SourceFileFacts,
  placed: Pick<FileRecord, 'contentMD5' | 'mtime' | 'stor' | 'sha256'>,
): FileRecord {
  const { sha1, size, compression, dataset_guid } = file;
  return { sha1, size, compression, ...(dataset_guid === undefined ? {} : { dataset_guid }), ...placed };
}

function definedOnly<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
