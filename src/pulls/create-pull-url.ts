/** CreateImageFilePullUrl: a URL that reads a file's bytes for less than a day, with no other credentials. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { PullUrl } from '#lib/api/schemas/pull-url.ts';
import { pullObjectPath } from '#lib/manifest/object-paths.ts';
import { signUrl } from '#lib/signing/signed-url.ts';
import type { Service } from '../service/service.ts';
import type { PullRecord } from './documents.ts';
import { makePullLink, type PullRequest, renewPullLink } from './pull-link.ts';
import { pullSecret } from './url-secret.ts';

export interface PullUrlRequest extends PullRequest {
  /** Names the pull link to extend. */
  readonly renew?: string | undefined;
  /** How the caller reaches this service; used if `pulls.publicUrl` is not set. */
  readonly baseUrl: string | undefined;
}

/**
 * @throws 404 ResourceNotFound; 503 StorageUnsupported to other datacenters when `pulls.redirect` is off
 */
export async function createPullUrl(service: Service, request: PullUrlRequest): Promise<PullUrl> {
  if (request.datacenter !== undefined && !service.config.pulls.redirect) {
    throw new ApiError('StorageUnsupported', 'this datacenter does not give out pull URLs; download the file itself');
  }
  const record =
    request.renew === undefined
      ? await makePullLink(service, request)
      : await renewPullLink(service, request, request.renew);
  return {
    url: await urlOf(service, record, request.baseUrl),
    expires: record.expires,
    reqid: record.reqid,
    size: record.size,
    sha1: record.sha1,
    ...(record.sha256 !== undefined && { sha256: record.sha256 }),
    ...(record.md5 !== undefined && { md5: record.md5 }),
    direct: record.direct,
  };
}

async function urlOf(service: Service, record: PullRecord, baseUrl: string | undefined): Promise<string> {
  const expires = new Date(record.expires);
  const storage = service.storages.named(record.stor);
  if (storage.capabilities.supportsSignedUrl) return storage.signUrl(record.path, expires);
  return signUrl({
    baseUrl: baseUrlFor(service, baseUrl),
    path: `/${pullObjectPath(record.day, record.uuid, record.index, record.reqid)}`,
    expires,
    secret: await pullSecret(service),
  });
}

function baseUrlFor(service: Service, given: string | undefined): string {
  const url = service.config.pulls.publicUrl ?? given;
  if (url !== undefined) return url;
  throw new ApiError(
    'NotAvailable',
    'the base of the URL is unknown: configure pulls.publicUrl or publicUrl, or send a Host header',
  );
}
