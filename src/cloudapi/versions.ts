/** Finds out which version of CloudAPI a request is for. */
import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import semver from 'semver';
import { CLOUDAPI_VERSIONS, type CloudapiVersion } from '#lib/api/cloudapi/form.ts';

export const LONGEST_RANGE = 256;

/** The range of versions that the client accepts, from any of the headers that clients have used. */
export function acceptedRange(headers: IncomingHttpHeaders): string {
  return String(headers['accept-version'] ?? headers['api-version'] ?? headers['x-api-version'] ?? '*');
}

/** Clients ask for the same few ranges. */
const KNOWN = new LRUCache<string, { readonly version: CloudapiVersion | undefined }>({ max: 100 });

/** The newest version that the client accepts; undefined if there is none. */
export function newestAccepted(headers: IncomingHttpHeaders): CloudapiVersion | undefined {
  const range = acceptedRange(headers);
  if (range.length > LONGEST_RANGE) return undefined;
  const known = KNOWN.get(range);
  if (known) return known.version;
  const version = semver.maxSatisfying([...CLOUDAPI_VERSIONS], range) ?? undefined;
  KNOWN.set(range, { version });
  return version;
}

/** Asked several times for each image of a list. */
export function isAtLeast(version: CloudapiVersion, least: CloudapiVersion): boolean {
  return CLOUDAPI_VERSIONS.indexOf(version) >= CLOUDAPI_VERSIONS.indexOf(least);
}
