/** Finds out which version of CloudAPI a request is for. */
import type { IncomingHttpHeaders } from 'node:http';
import semver from 'semver';
import { CLOUDAPI_VERSIONS, type CloudapiVersion } from '#lib/api/cloudapi/form.ts';

export const LONGEST_RANGE = 256;

/** The range of versions that the client accepts, from any of the headers that clients have used. */
export function acceptedRange(headers: IncomingHttpHeaders): string {
  return String(headers['accept-version'] ?? headers['api-version'] ?? headers['x-api-version'] ?? '*');
}

/** The newest version that the client accepts; undefined if there is none. */
export function newestAccepted(headers: IncomingHttpHeaders): CloudapiVersion | undefined {
  const range = acceptedRange(headers);
  return (range.length <= LONGEST_RANGE && semver.maxSatisfying([...CLOUDAPI_VERSIONS], range)) || undefined;
}

/** Asked several times for each image of a list. */
export function isAtLeast(version: CloudapiVersion, least: CloudapiVersion): boolean {
  return CLOUDAPI_VERSIONS.indexOf(version) >= CLOUDAPI_VERSIONS.indexOf(least);
}
