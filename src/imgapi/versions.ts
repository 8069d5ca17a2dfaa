/**
 * Accept-Version to API version. The 2.0.0 view is what today's clients know, so every range that 2.0.0 satisfies
 * gets it (`*` too); the 3.0.0 view needs a range that excludes 2.0.0. Without the header the version is 1.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import semver from 'semver';
import { ApiError } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';

/** In order of preference. */
const SERVED: readonly (readonly [string, ImgapiVersion])[] = [
  ['2.0.0', 2],
  ['3.0.0', 3],
  ['1.0.0', 1],
];

/** A cache, because clients send the same few ranges. */
const KNOWN = new LRUCache<string, ImgapiVersion>({ max: 100 });
const LONGEST_RANGE = 256;

/** @throws 400 InvalidVersion */
export function apiVersion(headers: IncomingHttpHeaders): ImgapiVersion {
  const acceptVersion = headers['accept-version'] as string | undefined;
  if (acceptVersion === undefined) return 1;
  const known = KNOWN.get(acceptVersion);
  if (known) return known;
  const version = acceptVersion.length <= LONGEST_RANGE ? newestFor(acceptVersion) : undefined;
  if (!version) {
    const shown = acceptVersion.slice(0, LONGEST_RANGE);
    throw new ApiError('InvalidVersion', `Accept-Version "${shown}" is not served; ask for ~1, ~2 or ~3`);
  }
  KNOWN.set(acceptVersion, version);
  return version;
}

/** The 422 for what only a later version has. @param what `action "share"`, `parameter "after"` */
export function needsVersion(since: ImgapiVersion, what: string): ApiError {
  const message = `send Accept-Version: ~${since}`;
  return new ApiError('InvalidParameter', `${what} needs API version ${since}: ${message}`, {
    errors: [{ field: 'Accept-Version', code: 'Invalid', message }],
  });
}

function newestFor(range: string): ImgapiVersion | undefined {
  return SERVED.find(([served]) => semver.satisfies(served, range))?.[1];
}
