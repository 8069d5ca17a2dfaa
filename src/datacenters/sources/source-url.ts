/** URLs of other servers that operators name in requests. */

import { invalidParameter } from '#lib/api/errors/api-error.ts';
import { shown } from '#lib/manifest/problem.ts';

/** The IMGAPI that `source` names. @throws 422 source/Invalid */
export function readSourceUrl(source: string): URL {
  const url = URL.parse(source);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalidParameter('source', `source is "${source}"; it must be the http(s) URL of an IMGAPI`);
  }
  assertNoCredentials('source', url);
  return url;
}

/** @throws 422 file_url/Invalid */
export function readFileUrl(fileUrl: unknown): URL {
  const url = typeof fileUrl === 'string' ? URL.parse(fileUrl) : null;
  if (url) assertNoCredentials('file_url', url);
  if (url?.protocol === 'https:') return url;
  throw invalidParameter('file_url', `file_url is ${shown(fileUrl)}; it must be an https URL`);
}

/** Credentials in a URL are never sent, and would only end up in logs. @throws 422 InvalidParameter */
export function assertNoCredentials(field: string, url: URL): void {
  if (url.username === '' && url.password === '') return;
  throw invalidParameter(field, `${field} is "${url}"; it must not contain a user or a password`);
}
