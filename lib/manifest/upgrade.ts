/** Manifests of version 1, which came from the dataset servers (DSAPI) before there was IMGAPI. */
import { isUuid } from '../text/uuid.ts';
import { asBoolean, isObject } from './fields.ts';

type Manifest = Readonly<Record<string, unknown>>;

/** Fields without a successor in version 2. */
const DROPPED = new Set([
  'creator_uuid',
  'vendor_uuid',
  'creator_name',
  'cloud_name',
  'creator_admin',
  'owner_uuid',
  'restricted_to_uuid',
  'platform_type',
  'created_at',
  'updated_at',
  '_url',
]);

const MINUTE_STAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}Z$/;

/**
 * The manifest in version 2. A manifest that is not version 1 (which has `creator_uuid` and no `v`), or that contradicts
 * itself, is returned unchanged: validation then says what is wrong with it.
 */
export function upgradeManifest(manifest: Manifest): Manifest {
  if (manifest['v'] || !manifest['creator_uuid'] || !isConsistent(manifest)) return manifest;
  const kept = Object.entries(manifest).filter(([key]) => !DROPPED.has(key));
  return { ...Object.fromEntries(kept), ...successors(manifest) };
}

function isConsistent(manifest: Manifest): boolean {
  if (!isUuid(manifest['uuid']) || manifest['owner'] !== undefined) return false;
  return !manifest['restricted_to_uuid'] || manifest['public'] === undefined;
}

/** The fields of version 2 that the old ones turn into. */
function successors(manifest: Manifest): Manifest {
  const disabled = asBoolean(manifest['disabled']) ?? Boolean(manifest['disabled']);
  const publishedAt = withSeconds(manifest['published_at'] || manifest['created_at']);
  const { files, image_size: size } = manifest;
  return {
    v: 2,
    owner: manifest['creator_uuid'],
    ...access(manifest['restricted_to_uuid']),
    disabled,
    state: disabled ? 'disabled' : 'active',
    ...(Boolean(publishedAt) && { published_at: publishedAt }),
    ...(Array.isArray(files) && { files: files.map(upgradeFile) }),
    ...(Boolean(size) && { image_size: typeof size === 'string' ? Number(size) : size }),
  };
}

function access(restrictedTo: unknown): Manifest {
  return restrictedTo ? { public: false, acl: [restrictedTo] } : { public: true };
}

function withSeconds(date: unknown): unknown {
  return typeof date === 'string' && MINUTE_STAMP.test(date) ? date.replace('Z', ':00Z') : date;
}

function upgradeFile(file: unknown): unknown {
  if (!isObject(file)) return file;
  const { path, url, ...rest } = file;
  return rest['compression'] ? rest : { ...rest, compression: compressionOf(path ?? url) };
}

function compressionOf(name: unknown): string {
  if (typeof name !== 'string') return 'none';
  if (name.endsWith('.gz')) return 'gzip';
  return name.endsWith('.bz2') ? 'bzip2' : 'none';
}
