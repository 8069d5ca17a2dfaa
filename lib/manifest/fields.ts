/** The fields of a manifest by what may be done with them; see "Image manifests" in the IMGAPI docs. */

/** In manifest order, which is also the order of the optional checks. `activated` is stored but never shown. */
export const MANIFEST_FIELDS = [
  'v',
  'uuid',
  'urn',
  'owner',
  'name',
  'version',
  'description',
  'homepage',
  'eula',
  'disabled',
  'activated',
  'published_at',
  'state',
  'public',
  'type',
  'os',
  'origin',
  'error',
  'files',
  'icon',
  'acl',
  'requirements',
  'users',
  'billing_tags',
  'traits',
  'tags',
  'generate_passwords',
  'inherited_directories',
  'nic_driver',
  'disk_driver',
  'cpu_type',
  'image_size',
  'channels',
  'deprecated_at',
  'replaced_by',
] as const;
export type ManifestField = (typeof MANIFEST_FIELDS)[number];

/** What a record holds beyond the manifest. */
export const RECORD_ONLY_FIELDS = [
  'expires_at',
  'tagsObj',
  'rev',
  'shares',
  'grants',
  'left',
  'left_uuids',
  'accepted',
  'protected',
  'copy',
  'copied_from',
  'copied_marks',
  'cloned_from',
  'intent',
  'intent_lease',
  'reserved_by',
  'quarantined',
  'quarantined_icon',
  'unread',
  'archive',
  'kept',
] as const;

/** Required fields, in the order of the checks. Some are required only of some kinds of images. */
export const REQUIRED_FIELDS = [
  'v',
  'uuid',
  'owner',
  'name',
  'version',
  'disabled',
  'activated',
  'published_at',
  'public',
  'state',
  'type',
  'os',
  'files',
  'nic_driver',
  'disk_driver',
  'cpu_type',
  'image_size',
] as const satisfies readonly ManifestField[];

/** Required of a placeholder that is being created. */
export const MINIMAL_FIELDS = [
  'v',
  'uuid',
  'name',
  'version',
  'type',
  'os',
] as const satisfies readonly ManifestField[];

/** UpdateImage may change these. */
export const MUTABLE_FIELDS = [
  'owner',
  'name',
  'version',
  'description',
  'homepage',
  'eula',
  'public',
  'os',
  'acl',
  'requirements',
  'users',
  'billing_tags',
  'traits',
  'tags',
  'generate_passwords',
  'inherited_directories',
  'nic_driver',
  'disk_driver',
  'cpu_type',
  'image_size',
  'channels',
  'deprecated_at',
  'replaced_by',
] as const satisfies readonly ManifestField[];

/** Only version 3 of the API shows these and lets them be set. */
export const VERSION_3_FIELDS = ['deprecated_at', 'replaced_by'] as const satisfies readonly ManifestField[];

/** UpdateImage may change these too, but only for operators. */
export const ADMIN_ONLY_FIELDS = [
  'state',
  'error',
  'billing_tags',
  'traits',
  'files',
  'origin',
  'uuid',
] as const satisfies readonly ManifestField[];

/** Not even an operator may change these once the image is activated. */
export const FIXED_ONCE_ACTIVATED = ['uuid', 'origin', 'files'] as const satisfies readonly ManifestField[];

/** The states that an operator may set; `deleting` is reserved for the service. */
export const SETTABLE_STATES = ['active', 'unactivated', 'disabled', 'failed', 'creating'] as const;

/** Stored as booleans; `"true"` and `"false"` are accepted as well. */
export const BOOLEAN_FIELDS = [
  'public',
  'disabled',
  'activated',
  'generate_passwords',
] as const satisfies readonly ManifestField[];

/** All images of type `zvol` have these, and no others do. */
export const ZVOL_FIELDS = [
  'nic_driver',
  'disk_driver',
  'cpu_type',
  'image_size',
] as const satisfies readonly ManifestField[];

/** Accepts a boolean or its name; undefined for anything else. */
export function asBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 'true') return true;
  return value === 'false' ? false : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
