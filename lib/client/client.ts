/**
 * A typed client of IMGAPI, old and new. Every method rejects with ImgapiError when the server answers with an error,
 * with ImgapiUnreachableError when it cannot be asked, and with the signal's reason when the call is aborted. Files are
 * streamed, in both directions.
 */

import type { CopyPlan, CopyStatus } from '../api/schemas/copy.ts';
import type { Datacenter } from '../api/schemas/datacenter.ts';
import type { Image, Manifest } from '../api/schemas/image.ts';
import type { Job, JobStarted } from '../api/schemas/job.ts';
import type { PullUrl } from '../api/schemas/pull-url.ts';
import type { Channel, ExportedImage, Pong } from '../api/schemas/service.ts';
import { readJson } from './answer.ts';
import type { ByteStream } from './byte-stream.ts';
import { type Call, Caller, type CallOptions, type ImgapiClientOptions } from './caller.ts';
import { type FileDownload, rangeHeaders, toDownload } from './download.ts';
import { filterQuery, type ListImagesFilter, type Query } from './filter.ts';
import { readJsonItems } from './json-items.ts';
import { readJsonLines } from './json-lines.ts';
import { allImages, nextLink, PAGE_SIZE } from './paging.ts';
import type {
  AddFileParameters,
  CopyParameters,
  DeleteOptions,
  FileOptions,
  FromVmParameters,
  GetOptions,
  ImportOptions,
  PullUrlParameters,
  TaggedImage,
  UploadParameters,
  WriteOptions,
} from './parameters.ts';
import type { HttpAnswer } from './transport.ts';

/** Milliseconds for calls that move a file before they answer. */
const LONG_ANSWER = 3_600_000;

const JSON_STREAM = { accept: 'application/x-json-stream' };

/** Calls that no earlier version knows. */
const V3 = { version: '~3' } as const;

export class ImgapiClient {
  readonly #caller: Caller;

  constructor(options: ImgapiClientOptions) {
    this.#caller = new Caller(options);
  }

  /** For routes that have no method here. */
  call<T>(call: Call, options?: CallOptions): Promise<T> {
    return this.#caller.json<T>(call, options);
  }

  /** For answers that are no JSON, or whose headers matter. The body must be read to its end or destroyed. */
  send(call: Call, options?: CallOptions): Promise<HttpAnswer> {
    return this.#caller.send(call, options);
  }

  /** Lets running calls end, then closes the connections. */
  close(): Promise<void> {
    return this.#caller.transport.close();
  }

  /** Breaks running calls off. */
  destroy(): Promise<void> {
    return this.#caller.transport.destroy();
  }

  ping(options?: CallOptions): Promise<Pong> {
    return this.call({ method: 'GET', path: '/ping' }, options);
  }

  channels(options?: CallOptions): Promise<Channel[]> {
    return this.call({ method: 'GET', path: '/channels' }, options);
  }

  datacenters(options?: CallOptions): Promise<Datacenter[]> {
    return this.call({ method: 'GET', path: '/datacenters', ...V3 }, options);
  }

  listImages(filter: ListImagesFilter = {}, options: GetOptions = {}): Promise<Image[]> {
    return this.call({ method: 'GET', path: '/images', query: { ...filterQuery(filter), ...admin(options) } }, options);
  }

  /** The same list bit by bit, in memory that does not grow with it. Whoever stops before its end ends the answer. */
  async *scanImages(filter: ListImagesFilter = {}, options: GetOptions = {}): AsyncGenerator<Image[], void> {
    const query = { ...filterQuery(filter), ...admin(options) };
    yield* readJsonItems<Image>(await this.#caller.send({ method: 'GET', path: '/images', query }, options));
  }

  /** Every image of the list once, however many pages that takes. */
  listAll(
    filter: Omit<ListImagesFilter, 'limit' | 'marker'> = {},
    options: GetOptions & { readonly pageSize?: number } = {},
  ): AsyncGenerator<Image, void> {
    const fetchPage = async (query: Query) => {
      const answer = await this.#caller.send({ method: 'GET', path: '/images', query }, options);
      const next = nextLink(answer.headers['link']);
      return { images: (await readJson(answer)) as Image[], ...(next && { next }) };
    };
    return allImages(fetchPage, { ...filterQuery(filter), ...admin(options) }, options.pageSize ?? PAGE_SIZE);
  }

  async getImage(uuid: string, options?: GetOptions): Promise<Image> {
    return (await this.getTaggedImage(uuid, options)).image;
  }

  /** With the ETag that a later write may ask for. */
  async getTaggedImage(uuid: string, options: GetOptions = {}): Promise<TaggedImage> {
    const answer = await this.#caller.send({ method: 'GET', path: image(uuid), query: admin(options) }, options);
    return { image: (await readJson(answer)) as Image, etag: answer.headers['etag'] };
  }

  createImage(fields: Manifest, options?: CallOptions): Promise<Image> {
    return this.call({ method: 'POST', path: '/images', json: fields }, options);
  }

  createImageFromVm(fields: Manifest, parameters: FromVmParameters, options?: CallOptions): Promise<JobStarted> {
    const { vmUuid, incremental, maxOriginDepth } = parameters;
    const query = { action: 'create-from-vm', vm_uuid: vmUuid, incremental, max_origin_depth: maxOriginDepth };
    return this.#startJob({ method: 'POST', path: '/images', query, json: fields }, options);
  }

  /** Operators only. Keeps UUID and time of publication. */
  adminImportImage(manifest: Manifest & { readonly uuid: string }, options: ImportOptions = {}): Promise<Image> {
    const query = { action: 'import', skip_owner_check: options.skipOwnerCheck };
    return this.call({ method: 'POST', path: image(manifest.uuid), query, json: manifest }, options);
  }

  /** Operators only. The server fetches the manifest from the IMGAPI at the URL `source`. */
  adminImportFromSource(uuid: string, source: string, options: ImportOptions = {}): Promise<Image> {
    return this.#act(uuid, { action: 'import', source, skip_owner_check: options.skipOwnerCheck }, {}, options);
  }

  /** Operators only. Brings image, file and chain from the IMGAPI at the URL `source`, in the background. */
  importRemote(uuid: string, source: string, options: ImportOptions = {}): Promise<JobStarted> {
    const query = { action: 'import-remote', source, skip_owner_check: options.skipOwnerCheck };
    return this.#startJob({ method: 'POST', path: image(uuid), query }, options);
  }

  importFromDatacenter(uuid: string, datacenter: string, options?: CallOptions): Promise<JobStarted> {
    const query = { action: 'import-from-datacenter', datacenter };
    return this.#startJob({ method: 'POST', path: image(uuid), query }, options);
  }

  /** The source is read to its end, or destroyed when the server wants no more. */
  addImageFile(
    uuid: string,
    source: AsyncIterable<Uint8Array>,
    { size, ...query }: UploadParameters,
    options?: CallOptions,
  ): Promise<Image> {
    const headers: Record<string, string> = size === undefined ? {} : { 'content-length': String(size) };
    return this.call({ method: 'PUT', path: file(uuid), query: { ...query }, headers, body: source }, long(options));
  }

  /** The server fetches the file from the IMGAPI at the URL `source`. */
  addImageFileFromSource(uuid: string, source: string, storage?: string, options?: CallOptions): Promise<Image> {
    return this.call({ method: 'PUT', path: file(uuid), query: { source, storage } }, long(options));
  }

  addImageFileFromUrl(
    uuid: string,
    fileUrl: string,
    parameters: AddFileParameters,
    options?: CallOptions,
  ): Promise<Image> {
    const path = `${file(uuid)}/from-url`;
    return this.call({ method: 'POST', path, query: { ...parameters }, json: { file_url: fileUrl } }, long(options));
  }

  /** The file, or a range of it. The stream must be read to its end or destroyed. */
  async getImageFile(uuid: string, options: FileOptions = {}): Promise<FileDownload> {
    const headers = { accept: 'application/octet-stream', ...rangeHeaders(options) };
    const call: Call = { method: 'GET', path: file(uuid), query: { index: options.index }, headers };
    return toDownload(await this.#caller.send(call, options), options);
  }

  /** For operators and linked datacenters. */
  createPullUrl(uuid: string, parameters: PullUrlParameters = {}, options?: CallOptions): Promise<PullUrl> {
    return this.call({ method: 'POST', path: `${file(uuid)}/pull-url`, query: { ...parameters }, ...V3 }, options);
  }

  putIcon(
    uuid: string,
    icon: Uint8Array,
    contentType: string,
    options: CallOptions & { readonly sha1?: string } = {},
  ): Promise<Image> {
    const headers = { 'content-type': contentType };
    const query = { sha1: options.sha1 };
    return this.call({ method: 'PUT', path: `${image(uuid)}/icon`, query, headers, body: icon }, options);
  }

  /** The stream must be read to its end or destroyed. */
  async getIcon(uuid: string, options?: CallOptions): Promise<{ contentType: string; stream: ByteStream }> {
    const headers = { accept: '*/*' };
    const answer = await this.#caller.send({ method: 'GET', path: `${image(uuid)}/icon`, headers }, options);
    return { contentType: answer.headers['content-type'] ?? 'application/octet-stream', stream: answer.body };
  }

  deleteIcon(uuid: string, options?: CallOptions): Promise<Image> {
    return this.call({ method: 'DELETE', path: `${image(uuid)}/icon` }, options);
  }

  activateImage(uuid: string, options?: WriteOptions): Promise<Image> {
    return this.#act(uuid, { action: 'activate' }, undefined, options);
  }

  enableImage(uuid: string, options?: WriteOptions): Promise<Image> {
    return this.#act(uuid, { action: 'enable' }, undefined, options);
  }

  disableImage(uuid: string, options?: WriteOptions): Promise<Image> {
    return this.#act(uuid, { action: 'disable' }, undefined, options);
  }

  updateImage(uuid: string, fields: Manifest, options?: WriteOptions): Promise<Image> {
    return this.#act(uuid, { action: 'update' }, fields, options);
  }

  channelAdd(uuid: string, channel: string, options?: WriteOptions): Promise<Image> {
    return this.#act(uuid, { action: 'channel-add' }, { channel }, options);
  }

  exportImage(uuid: string, mantaPath: string, options?: CallOptions): Promise<ExportedImage> {
    const query = { action: 'export', manta_path: mantaPath };
    return this.call({ method: 'POST', path: image(uuid), query }, long(options));
  }

  /** Operators only. Moves the file to another object store. */
  changeStorage(uuid: string, stor: string, options?: CallOptions): Promise<Image> {
    return this.#act(uuid, { action: 'change-stor', stor }, undefined, long(options));
  }

  cloneImage(uuid: string, options?: CallOptions): Promise<Image> {
    return this.call({ method: 'POST', path: `${image(uuid)}/clone` }, long(options));
  }

  deleteImage(uuid: string, options: DeleteOptions = {}): Promise<void> {
    const query = { force_all_channels: options.forceAllChannels };
    return this.#caller.done({ method: 'DELETE', path: image(uuid), query }, options);
  }

  /** Account UUIDs; with version 3 logins as well. */
  addAcl(uuid: string, entries: readonly string[], options?: CallOptions): Promise<Image> {
    return this.call({ method: 'POST', path: `${image(uuid)}/acl`, json: entries }, options);
  }

  /** Undefined when the account removed itself: the image is no longer for it to see. */
  async removeAcl(uuid: string, entries: readonly string[], options?: CallOptions): Promise<Image | undefined> {
    const call: Call = { method: 'POST', path: `${image(uuid)}/acl`, query: { action: 'remove' }, json: entries };
    const answer = await this.#caller.send(call, options);
    if (answer.status !== 204) return (await readJson(answer)) as Image;
    answer.body.resume();
    return undefined;
  }

  /** The image's chain of origins. */
  ancestry(uuid: string, options?: CallOptions): Promise<Image[]> {
    return this.call({ method: 'GET', path: `${image(uuid)}/ancestry`, ...V3 }, options);
  }

  /** The jobs of an image. */
  jobs(uuid: string, filter: { task?: string; execution?: string } = {}, options?: CallOptions): Promise<Job[]> {
    return this.call({ method: 'GET', path: `${image(uuid)}/jobs`, query: { ...filter } }, options);
  }

  getJob(jobUuid: string, options?: CallOptions): Promise<Job> {
    return this.call({ method: 'GET', path: `/jobs/${encodeURIComponent(jobUuid)}` }, options);
  }

  /** Asked of the destination. Repeating it attaches to what is under way; on an image that is here it refreshes. */
  copyFromDc(uuid: string, parameters: CopyParameters, options?: CallOptions): Promise<CopyStatus> {
    const { datacenter, doNotRestart, dryRun } = parameters;
    const query = { action: 'copy-from-dc', datacenter, do_not_restart: doNotRestart, dry_run: dryRun };
    return this.call({ method: 'POST', path: image(uuid), query, ...V3 }, options);
  }

  /** What a copy would bring, and what of it is here. */
  copyPlan(uuid: string, datacenter: string, options?: CallOptions): Promise<CopyPlan> {
    return this.call({ method: 'GET', path: copy(uuid), query: { plan: true, datacenter }, ...V3 }, options);
  }

  getCopy(uuid: string, options?: CallOptions): Promise<CopyStatus> {
    return this.call({ method: 'GET', path: copy(uuid), ...V3 }, options);
  }

  /** The copy's status at once and after each change, until it has ended. */
  async *watchCopy(uuid: string, options?: CallOptions): AsyncGenerator<CopyStatus, void> {
    const call: Call = { method: 'GET', path: copy(uuid), headers: JSON_STREAM, ...V3 };
    yield* readJsonLines<CopyStatus>(await this.#caller.send(call, options));
  }

  cancelCopy(uuid: string, options?: CallOptions): Promise<CopyStatus> {
    return this.call({ method: 'DELETE', path: copy(uuid), ...V3 }, options);
  }

  /** Operators only. */
  listCopies(options?: CallOptions): Promise<CopyStatus[]> {
    return this.call({ method: 'GET', path: '/copies', ...V3 }, options);
  }

  #act(uuid: string, query: Query, json: unknown, options: WriteOptions = {}): Promise<Image> {
    const headers: Record<string, string> = options.ifMatch === undefined ? {} : { 'if-match': options.ifMatch };
    return this.call({ method: 'POST', path: image(uuid), query, headers, json }, options);
  }

  async #startJob(call: Call, options?: CallOptions): Promise<JobStarted> {
    const answer = await this.#caller.send(call, options);
    const workflowApi = answer.headers['workflow-api'];
    const started = (await readJson(answer)) as JobStarted;
    return { ...started, ...(workflowApi !== undefined && { workflow_api: workflowApi }) };
  }
}

function image(uuid: string): string {
  return `/images/${encodeURIComponent(uuid)}`;
}

function file(uuid: string): string {
  return `${image(uuid)}/file`;
}

function copy(uuid: string): string {
  return `${image(uuid)}/copy`;
}

function admin({ inclAdminFields }: GetOptions): Query {
  return { inclAdminFields };
}

function long(options?: CallOptions): CallOptions {
  return { answerTimeout: LONG_ANSWER, ...options };
}
