/** A linked datacenter as a source: signed requests to its link listener, and pull URLs that the link allows. */

import { LinkPieces } from '#lib/api/schemas/link.ts';
import { PullUrl } from '#lib/api/schemas/pull-url.ts';
import { type DownloadRange, download, rangeHeaders, toDownload } from '#lib/client/download.ts';
import { ImgapiError } from '#lib/client/errors.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import type { LinkRecord } from '../links/documents.ts';
import { type LinkClient, linkClient } from '../links/link-client.ts';
import { findLink } from '../links/links.ts';
import { endWithLink } from '../links/live-streams.ts';
import { pingLink } from '../links/ping.ts';
import { isPullUrlAllowed, originOf, pullOriginsOf } from '../links/pull-origins.ts';
import { expectShape } from '../links/wire.ts';
import { LinkEndedError, SourceInvalidError } from '../peers/errors.ts';
import { namedTransport, stallTimeout } from '../peers/transports.ts';
import { linkedImage } from './foreign-manifest.ts';
import type { FileRequest, ImageSource, SourceFile } from './source.ts';
import { indexOf, query, sourceFile, sourceIcon } from './source-requests.ts';

/** Bytes of a page of hashes; an honest one is far shorter. */
const LONGEST_PIECES = 64 * 1024;

export function linkSource(service: Service, name: string): ImageSource {
  // Read for every request, because keys can rotate and links can end during an order.
  const client = () => currentClient(service, name);
  return {
    name,
    kind: 'link',
    async getImage(uuid, account, signal) {
      const path = `/link/images/${uuid}${query({ account: named(account) })}`;
      const answer = await (await client()).json({ method: 'GET', path, signal });
      return linkedImage(answer, { source: `datacenter "${name}"`, uuid, owner: account, neverPublic: true });
    },
    async getIcon(uuid, account, signal) {
      const path = `/link/images/${uuid}/icon${query({ account: named(account) })}`;
      const current = await client();
      return sourceIcon(() => current.send({ method: 'GET', path, signal }), service.config.limits.iconBytes);
    },
    async getFile(uuid, request) {
      const path = `/link/images/${uuid}/file${query({ account: named(request.account), index: indexOf(request) })}`;
      const range: DownloadRange = { ...rangeOf(request), ifMatch: request.sha1 };
      const current = await client();
      const answer = await current.send({
        ...{ method: 'GET', path, headers: rangeHeaders(range), signal: request.signal },
        answerTimeout: stallTimeout(service),
      });
      return linkedFile(service, current.link, sourceFile(await toDownload(answer, range), request));
    },
    async getPieces(uuid, { account, page, signal }) {
      const path = `/link/images/${uuid}/file/pieces${query({ account: named(account), page: String(page) })}`;
      return askPieces(await client(), path, signal);
    },
    async createPullUrl(uuid, account, renew, signal) {
      const path = `/link/images/${uuid}/file/pull-url${query({ account: named(account), renew })}`;
      return askPullUrl(service, await client(), path, signal);
    },
    async endPull(reqid, signal) {
      await endPull(await client(), reqid, signal);
    },
    async getPullUrl(url, request) {
      named(request.account);
      return getPullUrl(service, (await client()).link, url, request);
    },
    async storeIdentities(signal) {
      const { stores } = (await pingLink(service, await client(), signal)).ping;
      return Object.values(stores);
    },
  };
}

function rangeOf({ start, end }: FileRequest): DownloadRange {
  return { start, ...(end !== undefined && { end }) };
}

/** An older version has no such list. */
async function askPieces(client: LinkClient, path: string, signal: AbortSignal): Promise<LinkPieces | undefined> {
  try {
    const answer = await client.json({ method: 'GET', path, signal, maxBytes: LONGEST_PIECES });
    return expectShape(answer, LinkPieces, client.link.url);
  } catch (error) {
    if (error instanceof ImgapiError && [404, 405, 501].includes(error.statusCode)) return undefined;
    throw error;
  }
}

/** Nothing is ever fetched over a link as operator, so an account is required. */
function named(account: string | undefined): string {
  if (account !== undefined) return account;
  throw new SourceInvalidError('nothing is fetched from a linked datacenter without the account that it is for');
}

async function currentClient(service: Service, name: string): Promise<LinkClient> {
  const link = await findLink(service, name);
  if (link) return linkClient(service, link.value);
  throw new LinkEndedError(name);
}

/** Undefined if the other gives none, or one that the link does not allow; the file is then streamed. */
async function askPullUrl(
  service: Service,
  client: LinkClient,
  path: string,
  signal: AbortSignal,
): Promise<PullUrl | undefined> {
  try {
    const answer = await client.json({ method: 'POST', path, signal });
    const pull = expectShape(answer, PullUrl, client.link.url);
    if (!isUuid(pull.reqid)) {
      throw new SourceInvalidError(`${client.link.url} gave its pull link the id "${pull.reqid}", which is not a UUID`);
    }
    if (isPullUrlAllowed(service, client.link, pull.url)) return pull;
    service.log.warn(
      { datacenter: client.link.name, origin: originOf(pull.url), pull_origins: pullOriginsOf(client.link) },
      'refused a pull URL: the link does not allow its origin',
    );
    await endPull(client, pull.reqid, signal).catch((err: unknown) =>
      service.log.info({ err, pull: pull.reqid }, 'a refused pull link could not be ended; it is left to expire'),
    );
    return undefined;
  } catch (error) {
    if (error instanceof ImgapiError && error.code === 'StorageUnsupported') return undefined;
    throw error;
  }
}

/** An older version does not support this; there, pull links just expire. */
async function endPull(client: LinkClient, reqid: string, signal: AbortSignal): Promise<void> {
  try {
    await client.json({ method: 'POST', path: `/link/pulls/${reqid}/end`, signal });
  } catch (error) {
    if (error instanceof ImgapiError && [404, 405].includes(error.statusCode)) return;
    throw error;
  }
}

/** Sends no If-Match, because object stores have their own ETags. The bytes behind a pull link do not change. */
async function getPullUrl(service: Service, link: LinkRecord, text: string, request: FileRequest): Promise<SourceFile> {
  if (!isPullUrlAllowed(service, link, text)) {
    throw new SourceInvalidError(
      `the link to "${link.name}" does not allow pull URLs from ${originOf(text) ?? 'a URL of this form'}`,
    );
  }
  const url = new URL(text);
  const range = rangeOf(request);
  const transport = namedTransport(url.origin, service);
  const message = { path: url.pathname + url.search, signal: request.signal, answerTimeout: stallTimeout(service) };
  const found = await download(transport, message, range);
  return linkedFile(service, link, sourceFile(found, request));
}

function linkedFile(service: Service, link: LinkRecord, file: SourceFile): SourceFile {
  endWithLink(service, link, file.stream);
  return file;
}
