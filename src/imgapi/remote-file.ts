/** Manifests and files that an operator asks to be fetched from elsewhere: another IMGAPI, or an HTTPS URL. */
import type { Readable } from 'node:stream';
import type { Image } from '#lib/api/schemas/image.ts';
import { expectSuccess } from '#lib/client/answer.ts';
import { download } from '#lib/client/download.ts';
import { AddressRefusedError, ImgapiError, ImgapiUnreachableError } from '#lib/client/errors.ts';
import { HttpTransport } from '#lib/client/transport.ts';
import { isObject } from '#lib/manifest/fields.ts';
import { shown } from '#lib/manifest/problem.ts';
import { COMPRESSIONS, type Compression } from '#lib/manifest/record.ts';
import { isDatasetGuid } from '#lib/manifest/validate-collections.ts';
import { ApiError, invalidParameter } from '../../lib/api/errors/api-error.ts';
import { assertSourceAllowed, refusedSource, sourceAgent } from '../datacenters/address-guard.ts';
import { smallJson } from '../datacenters/links/link-client.ts';
import { foreignMessage, isTimeout } from '../datacenters/sources/remote-failure.ts';
import { query } from '../datacenters/sources/source-requests.ts';
import type { Service } from '../service/service.ts';
import type { Call } from './call.ts';

export interface RemoteBody {
  readonly stream: Readable;
  /** What to answer when the stream fails; other errors are answered as they are. */
  readonly problem: (error: unknown) => unknown;
  /** Ends the connection. */
  close(): Promise<void>;
}

export interface RemoteFile extends RemoteBody {
  readonly compression: Compression;
  readonly size: number;
  readonly sha1: string;
  readonly datasetGuid?: string;
}

/** The image's manifest as another IMGAPI shows it to everybody. @throws 503 RemoteSourceError, 422 source/Invalid */
export async function sourceManifest(service: Service, call: Call, uuid: string, source: string): Promise<Image> {
  const manifest = await withSource(service, source, (from) => getManifest(from, uuid, call.signal));
  if (isObject(manifest)) return manifest as unknown as Image;
  throw new ApiError('RemoteSourceError', `${source} answered no manifest of image "${uuid}"`);
}

/** The first file of the image at another IMGAPI. @throws 503 RemoteSourceError, 422 source/Invalid */
export async function sourceFile(service: Service, call: Call, uuid: string, source: string): Promise<RemoteFile> {
  const from = openSource(service, source);
  const { close } = from;
  try {
    const file = readSourceFile(await getManifest(from, uuid, call.signal));
    if (!file) throw new ApiError('RemoteSourceError', `image "${uuid}" has no usable file at ${source}`);
    const { stream } = await download(from.transport, { ...from.get(`/images/${uuid}/file`), signal: call.signal });
    return { ...file, stream, close, problem: (error) => remoteProblem(source, error) };
  } catch (error) {
    await close();
    throw remoteProblem(source, error);
  }
}

/** The other server's word is checked: undefined when what it says of its first file cannot be used. */
function readSourceFile(manifest: unknown): Omit<RemoteFile, keyof RemoteBody> | undefined {
  const files = isObject(manifest) ? manifest['files'] : undefined;
  const file: unknown = Array.isArray(files) ? files[0] : undefined;
  if (!isObject(file)) return undefined;
  const { size, sha1, dataset_guid: datasetGuid } = file;
  const compression = COMPRESSIONS.find((known) => known === file['compression']);
  if (!compression || typeof sha1 !== 'string' || typeof size !== 'number') return undefined;
  return { compression, size, sha1: sha1.toLowerCase(), ...(isDatasetGuid(datasetGuid) ? { datasetGuid } : {}) };
}

/** They would be sent to nobody, and end up in the logs of every proxy. @throws 422 InvalidParameter */
export function assertNoCredentials(field: string, url: URL): void {
  if (url.username === '' && url.password === '') return;
  throw invalidParameter(field, `${field} is "${url}"; it must be without a user and a password, which are not used`);
}

/** @throws 422 file_url/Invalid */
export function readFileUrl(fileUrl: unknown): URL {
  const url = typeof fileUrl === 'string' ? URL.parse(fileUrl) : null;
  if (url) assertNoCredentials('file_url', url);
  if (url?.protocol === 'https:') return url;
  throw invalidParameter('file_url', `file_url is ${shown(fileUrl)}; it must be an https URL`);
}

/** A file behind an HTTPS URL; no redirect is followed. @throws 400 Download */
export async function remoteFile(
  service: Service,
  call: Call,
  url: URL,
): Promise<RemoteBody & { length: number | undefined }> {
  const problem = (error: unknown): unknown => {
    if (error instanceof AddressRefusedError) return refusedSource(error, 'file_url');
    if (!isRemoteError(error)) return error;
    const message = `${url.origin}${url.pathname} could not be fetched: ${error.message}`;
    return new ApiError('Download', message, { cause: error });
  };
  assertSourceAllowed(service, url, 'file_url');
  const dispatcher = sourceAgent(service);
  const transport = new HttpTransport({ url: url.origin, dispatcher });
  try {
    const headers = { 'user-agent': service.config.serverName };
    const path = `${url.pathname}${url.search}`;
    const { stream, size } = await download(transport, { path, headers, signal: call.signal });
    return { stream, length: size, problem, close: () => dispatcher.destroy() };
  } catch (error) {
    await dispatcher.destroy();
    throw problem(error);
  }
}

async function withSource<T>(service: Service, source: string, use: (from: Source) => Promise<T>): Promise<T> {
  const from = openSource(service, source);
  try {
    return await use(from);
  } catch (error) {
    throw remoteProblem(source, error);
  } finally {
    await from.close();
  }
}

interface Source {
  readonly transport: HttpTransport;
  /** A request for what is at the path. */
  get(path: string): {
    readonly method: 'GET';
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  close(): Promise<void>;
}

function openSource(service: Service, source: string): Source {
  const url = URL.parse(source);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') {
    throw invalidParameter('source', `source is "${source}"; it must be the http(s) URL of an IMGAPI`);
  }
  assertNoCredentials('source', url);
  assertSourceAllowed(service, url);
  const dispatcher = sourceAgent(service);
  const headers = { 'accept-version': '*', 'user-agent': service.config.serverName };
  const parameters = query({ channel: url.searchParams.get('channel') ?? undefined });
  return {
    transport: new HttpTransport({ url: source, dispatcher }),
    get: (path) => ({ method: 'GET', path: path + parameters, headers }),
    close: () => dispatcher.destroy(),
  };
}

/** Small, and all of it in time: who answers is not trusted. */
function getManifest({ transport, get }: Source, uuid: string, signal: AbortSignal): Promise<unknown> {
  return smallJson(async (request) => expectSuccess(await transport.send(request)), {
    ...get(`/images/${uuid}`),
    signal,
  });
}

function remoteProblem(source: string, error: unknown): unknown {
  if (error instanceof AddressRefusedError) return refusedSource(error, 'source');
  if (!isRemoteError(error) && !isTimeout(error)) return error;
  return new ApiError('RemoteSourceError', `${source}: ${foreignMessage(error)}`, { cause: error });
}

function isRemoteError(error: unknown): error is ImgapiError | ImgapiUnreachableError {
  return error instanceof ImgapiError || error instanceof ImgapiUnreachableError;
}
