/**
 * Images of type lx-dataset from an old `imgadm`. Before 3.7.4 it wrote the platform of the machine that the image was made
 * on as the least platform, although lx images run on older ones too: their origin knows better.
 */
import semver from 'semver';
import { isObject } from '#lib/manifest/fields.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Manifest } from './record/new-record.ts';

const FIRST_RIGHT = '3.7.4';

/** @param userAgent of the client, such as `imgadm/3.7.3 (node/0.10.48; SunOS)` */
export function withRightPlatform(
  manifest: Manifest,
  origin: Pick<ImageRecord, 'requirements'> | undefined,
  userAgent = '',
): Manifest {
  const [, version] = /^imgadm\/(\d+\.\d+\.\d+)/.exec(userAgent) ?? [];
  if (version === undefined || semver.gte(version, FIRST_RIGHT) || manifest['type'] !== 'lx-dataset') return manifest;
  const { requirements } = manifest;
  const { min_platform: _, ...others } = isObject(requirements) ? requirements : {};
  const inherited = origin?.requirements?.['min_platform'];
  if (inherited !== undefined) return { ...manifest, requirements: { ...others, min_platform: inherited } };
  return isObject(requirements) ? { ...manifest, requirements: others } : manifest;
}
