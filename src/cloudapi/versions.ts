/** Versions of CloudAPI. They differ, as far as images are concerned, in the fields that 7.1 and the types that 8 shows. */
import type { IncomingHttpHeaders } from 'node:http';
import semver from 'semver';
import { CloudapiError } from './errors.ts';

/** As `/--ping` names them. */
export const VERSIONS = ['7.0.0', '7.1.0', '7.2.0', '7.3.0', '8.0.0', '9.0.0'] as const;

const LONGEST_RANGE = 256;

/** The newest version in the range that the client accepts, by any of the headers that clients have used. @throws 400 */
export function versionOf(headers: IncomingHttpHeaders): string {
  const range = String(headers['accept-version'] ?? headers['api-version'] ?? headers['x-api-version'] ?? '*');
  const version = range.length <= LONGEST_RANGE ? semver.maxSatisfying([...VERSIONS], range) : null;
  if (version !== null) return version;
  const shown = range.slice(0, LONGEST_RANGE);
  throw new CloudapiError('InvalidVersion', `version "${shown}" is not served; there are ${VERSIONS.join(', ')}`);
}

export function isAtLeast(version: string, least: string): boolean {
  return semver.gte(version, least);
}
