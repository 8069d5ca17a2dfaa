/** Versions of CloudAPI. They differ, as far as images are concerned, in the fields that 7.1 and the types that 8 shows. */
import type { IncomingHttpHeaders } from 'node:http';
import semver from 'semver';

/** As `/--ping` names them. */
export const VERSIONS = ['7.0.0', '7.1.0', '7.2.0', '7.3.0', '8.0.0', '9.0.0'] as const;
export type CloudapiVersion = (typeof VERSIONS)[number];

export const LONGEST_RANGE = 256;

/** What the client accepts, by any of the headers that clients have used. */
export function acceptedRange(headers: IncomingHttpHeaders): string {
  return String(headers['accept-version'] ?? headers['api-version'] ?? headers['x-api-version'] ?? '*');
}

/** The newest version in the range that the client accepts; undefined when there is none. */
export function newestAccepted(headers: IncomingHttpHeaders): CloudapiVersion | undefined {
  const range = acceptedRange(headers);
  return (range.length <= LONGEST_RANGE && semver.maxSatisfying([...VERSIONS], range)) || undefined;
}

export function isAtLeast(version: string, least: string): boolean {
  return semver.gte(version, least);
}
