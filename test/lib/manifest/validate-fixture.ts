/** Records that are valid, to be spoiled one field at a time. */
import { type ValidateOptions, validateManifest } from '#lib/manifest/validate.ts';

export const UUID = '1f9b7958-289e-4ea3-8f88-5486a40d6823';
export const OWNER = '930896af-bf8c-48d4-885c-6573a94b1853';
export const FILE = { sha1: '3dcf0d8695bf81a05a6272ccdc5048dd025acceb', size: 121737890, compression: 'gzip' };

export const IMAGE = {
  v: 2,
  uuid: UUID,
  owner: OWNER,
  name: 'base-64',
  version: '13.3.0',
  disabled: false,
  activated: true,
  published_at: '2014-01-01T12:00:00.000Z',
  public: false,
  state: 'active',
  type: 'zone-dataset',
  os: 'smartos',
  files: [FILE],
};
export const ZVOL = {
  ...IMAGE,
  type: 'zvol',
  os: 'linux',
  nic_driver: 'virtio',
  disk_driver: 'virtio',
  cpu_type: 'qemu64',
  image_size: 10240,
};
export const DC: ValidateOptions = { mode: 'dc' };

/** `field/code` of each problem, in order. */
export function codes(changes: Record<string, unknown>, options: ValidateOptions = DC): string {
  const record = Object.fromEntries(
    Object.entries({ ...IMAGE, ...changes }).filter(([, value]) => value !== undefined),
  );
  return validateManifest(record, options)
    .map(({ field, code }) => `${field}/${code}`)
    .join(' ');
}

const WITH_ZVOL = Object.fromEntries(Object.entries(ZVOL).slice(-4));
/** The fields of a valid `zvol`, one of them changed. */
export const zvol = (field: string, value: unknown) => ({ ...WITH_ZVOL, type: 'zvol', [field]: value });
