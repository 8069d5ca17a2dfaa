/** Fetches manifests and files for an operator's request, from the IMGAPI that `source` names or from an HTTPS URL. */
import type { Readable } from 'node:stream';
import { ApiError } from '#lib/api/errors/api-error.ts';
import { download } from '#lib/client/download.ts';
import type { Compression } from '#lib/manifest/record.ts';
import { isDatasetGuid } from '#lib/manifest/validate-collections.ts';
import type { Guarded } from '../peers/address-guard.ts';
import { remoteFailure } from '../peers/remote-failure.ts';
import { foreignTransport } from '../peers/transports.ts';
import { foreignManifest } from './foreign-manifest.ts';
import { withLeastRate } from './least-rate.ts';
import { urlSource } from './source-imgapi.ts';
import { readSourceUrl } from './source-url.ts';

/** The caller must destroy the stream at the end, even if it did not read all of it. */
export interface FetchedFile {
  readonly stream: Readable;
  /** Bytes, when known. */
  readonly size: number | undefined;
  /** Returns the error to answer for an error of the stream. Unrelated errors are returned unchanged. */
  readonly problem: (error: unknown) => unknown;
}

export interface FetchedImageFile extends FetchedFile {
  readonly size: number;
  readonly compression: Compression;
  readonly sha1: string;
  readonly datasetGuid?: string;
}

/** The image's manifest from another IMGAPI. @throws 503 RemoteSourceError, 422 source/Invalid */
export async function manifestFrom(
  service: Guarded,
  source: string,
  uuid: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  readSourceUrl(source);
  try {
    return foreignManifest(await urlSource(service, source).getManifest(uuid, signal), { source, uuid });
  } catch (error) {
    throw remoteFailure(error, 'source', source);
  }
}

/** The image's first file from another IMGAPI. @throws 503 RemoteSourceError, 422 source/Invalid */
export async function fileFrom(
  service: Guarded,
  source: string,
  uuid: string,
  signal: AbortSignal,
): Promise<FetchedImageFile> {
  readSourceUrl(source);
  const problem = (error: unknown): unknown => remoteFailure(error, 'source', source);
  try {
    const from = urlSource(service, source);
    const [file] = (await from.getImage(uuid, undefined, signal)).files;
    if (!file?.compression) throw new ApiError('RemoteSourceError', `image "${uuid}" has no usable file at ${source}`);
    const { compression, sha1, size, dataset_guid: datasetGuid } = file;
    const found = await from.getFile(uuid, { account: undefined, start: 0, sha1, signal });
    const stream = withLeastRate(service, found.stream, source);
    return { compression, sha1, size, ...(isDatasetGuid(datasetGuid) && { datasetGuid }), stream, problem };
  } catch (error) {
    throw problem(error);
  }
}

/** The file at an HTTPS URL; redirects are not followed. @throws 400 Download */
export async function fileAt(service: Guarded, url: URL, signal: AbortSignal): Promise<FetchedFile> {
  const problem = (error: unknown): unknown => remoteFailure(error, 'file_url', `${url.origin}${url.pathname}`);
  const transport = foreignTransport(url.origin, service, 'file_url');
  const headers = { 'user-agent': service.config.serverName };
  const path = `${url.pathname}${url.search}`;
  try {
    const { stream, size } = await download(transport, { path, headers, signal });
    return { stream: withLeastRate(service, stream, url.origin), size, problem };
  } catch (error) {
    throw problem(error);
  }
}
