/**
 * A typed client of today's IMGAPI and of this one. Methods reject with ImgapiError when the server answers an error,
 * with ImgapiUnreachableError when it cannot be asked, and with the signal's reason when the call is aborted. Files are
 * streamed in both directions. Most methods are made from the rows of the API; those that need more are here.
 */

import { PARTIAL_UPLOAD } from '../api/partial-upload.ts';
import type { CopyPlan, CopyStatus } from '../api/schemas/copy.ts';
import type { Image, Manifest } from '../api/schemas/image.ts';
import type { JobStarted } from '../api/schemas/job.ts';
import type { VerifyLine, VerifyStore, VerifySummary } from '../api/schemas/maintenance.ts';
import type { Upload } from '../api/schemas/upload.ts';
import { readShaped } from './answer-shape.ts';
import type { ByteStream } from './byte-stream.ts';
import { type Call, Caller, type CallOptions, type ImgapiClientOptions } from './caller.ts';
import { type FileDownload, rangeHeaders, toDownload } from './download.ts';
import { filterQuery, type ListImagesFilter, type Query } from './filter.ts';
import { readJsonItems } from './json-items.ts';
import { readJsonLines } from './json-lines.ts';
import { callOf, type ImgapiMethods, LONG_ANSWER, methodsOf } from './methods.ts';
import { allImages, nextLink, PAGE_SIZE } from './paging.ts';
import type {
  FileOptions,
  FromVmParameters,
  GetOptions,
  ImportOptions,
  ListAllOptions,
  RemoteImportOptions,
  StartedJob,
  TaggedImage,
  UploadParameters,
  VerifyOptions,
} from './parameters.ts';
import type { HttpAnswer } from './transport.ts';

const JSON_STREAM = { accept: 'application/x-json-stream' };

class Client {
  readonly #caller: Caller;

  constructor(options: ImgapiClientOptions) {
    this.#caller = new Caller(options);
    const made = Object.entries(methodsOf(this.#caller)).filter(([name]) => !(name in this));
    Object.assign(this, Object.fromEntries(made));
  }

  /** For answers whose headers matter, or that are passed on as they arrive. The body must be read to its end or destroyed. */
  send(call: Call, options?: CallOptions): Promise<HttpAnswer> {
    return this.#caller.send(call, options);
  }

  /** Lets running calls end, then closes the connections. */
  close(): Promise<void> {
    return this.#caller.transport.close();
  }

  /** Breaks off running calls. */
  destroy(): Promise<void> {
    return this.#caller.transport.destroy();
  }

  listImages(filter: ListImagesFilter = {}, options: GetOptions = {}): Promise<Image[]> {
    return this.#caller.json(listCall(filter, options), options);
  }

  /** The same list in batches, in memory that does not grow with it. Stopping early breaks off the answer. */
  async *scanImages(filter: ListImagesFilter = {}, options: GetOptions = {}): AsyncGenerator<Image[], void> {
    yield* readJsonItems<Image>(await this.#caller.send(listCall(filter, options), options));
  }

  /** Each image of the list exactly once, however many pages that takes. */
  listAll(
    filter: Omit<ListImagesFilter, 'limit' | 'marker'> = {},
    options: GetOptions & ListAllOptions = {},
  ): AsyncGenerator<Image, void> {
    const { query: first = {}, ...call } = listCall(filter, options);
    const shape = options.distrusts ? { isList: true } : call.answer;
    const fetchPage = async (query: Query) => {
      const answer = await this.#caller.send({ ...call, query }, options);
      const next = nextLink(answer.headers['link']);
      return { images: await readShaped<Image[]>(answer, shape), ...(next && { next }) };
    };
    return allImages(fetchPage, first, options.pageSize ?? PAGE_SIZE);
  }

  async getImage(uuid: string, options?: GetOptions): Promise<Image> {
    return (await this.getTaggedImage(uuid, options)).image;
  }

  /** With the ETag, for the condition of a later write. */
  async getTaggedImage(uuid: string, options: GetOptions = {}): Promise<TaggedImage> {
    const call = callOf('GetImage', [uuid], options);
    const answer = await this.#caller.send(call, options);
    return { image: await readShaped<Image>(answer, call.answer), etag: answer.headers['etag'] };
  }

  /** Only for servers that are connected to VMAPI. */
  createImageFromVm(fields: Manifest, parameters: FromVmParameters, options?: CallOptions): Promise<StartedJob> {
    const { vmUuid, incremental, maxOriginDepth } = parameters;
    const query = { vm_uuid: vmUuid, incremental, max_origin_depth: maxOriginDepth };
    return this.#startJob({ ...callOf('CreateImageFromVm', [], query), json: fields }, options);
  }

  /** Operators only. Keeps the UUID and the date of publication. */
  adminImportImage(manifest: Manifest & { readonly uuid: string }, options: ImportOptions = {}): Promise<Image> {
    return this.#caller.json({ ...callOf('AdminImportImage', [manifest.uuid], options), json: manifest }, options);
  }

  /** Operators only. The server fetches the manifest from the IMGAPI at the URL `source`. */
  adminImportFromSource(uuid: string, source: string, options: ImportOptions = {}): Promise<Image> {
    return this.#caller.json({ ...callOf('AdminImportImage', [uuid], { ...options, source }), json: {} }, options);
  }

  /** Operators only. Copies the image and its origins from the IMGAPI at the URL `source`, in the background. */
  adminImportRemoteImage(uuid: string, source: string, options: RemoteImportOptions = {}): Promise<StartedJob> {
    return this.#startJob(callOf('AdminImportRemoteImage', [uuid], { ...options, source }), options);
  }

  importImageFromDatacenter(uuid: string, datacenter: string, options: CallOptions = {}): Promise<StartedJob> {
    return this.#startJob(callOf('ImportImageFromDatacenter', [uuid], { ...options, datacenter }), options);
  }

  /** The source is read to its end, or destroyed when the server wants no more. */
  addImageFile(
    uuid: string,
    source: AsyncIterable<Uint8Array>,
    { size, ...parameters }: UploadParameters,
    options?: CallOptions,
  ): Promise<Image> {
    const headers: Record<string, string> = { ...(size !== undefined && { 'content-length': String(size) }) };
    return this.#caller.json({ ...callOf('AddImageFile', [uuid], parameters), headers, body: source }, long(options));
  }

  /** The upload of a file of so many bytes, which may have begun before: `offset` says where it goes on. */
  beginImageUpload(
    uuid: string,
    { size, ...parameters }: UploadParameters & { readonly size: number; readonly sha1: string },
    options?: CallOptions,
  ): Promise<Upload> {
    const headers = { 'upload-length': String(size) };
    return this.#caller.json({ ...callOf('BeginImageUpload', [uuid], parameters), headers }, options);
  }

  /**
   * The source is read to its end, or destroyed when the server wants no more.
   * @param part `size`: how many bytes the source has; undefined when more have to come
   */
  async appendImageUpload(
    uuid: string,
    upload: string,
    source: AsyncIterable<Uint8Array>,
    { offset, size }: { readonly offset: number; readonly size: number },
    options?: CallOptions,
  ): Promise<Image | undefined> {
    const headers = {
      'content-type': PARTIAL_UPLOAD,
      'content-length': String(size),
      'upload-offset': String(offset),
    };
    const call = { ...callOf('AppendImageUpload', [uuid, upload]), headers, body: source };
    const answer = await this.#caller.send(call, long(options));
    if (answer.status !== 204) return readShaped<Image>(answer, call.answer);
    answer.body.resume();
    return undefined;
  }

  /** The server fetches the file from the IMGAPI at the URL `source`. */
  addImageFileFromSource(uuid: string, source: string, storage?: string, options?: CallOptions): Promise<Image> {
    return this.#caller.json(callOf('AddImageFile', [uuid], { source, storage }), long(options));
  }

  /** The file, or a range of it. The stream must be read to its end or destroyed. */
  async getImageFile(uuid: string, options: FileOptions = {}): Promise<FileDownload> {
    const headers = { accept: 'application/octet-stream', ...rangeHeaders(options) };
    const call = callOf('GetImageFile', [uuid], { index: options.index });
    return toDownload(await this.#caller.send({ ...call, headers }, options), options);
  }

  addImageIcon(
    uuid: string,
    icon: Uint8Array,
    contentType: string,
    options: CallOptions & { readonly sha1?: string; readonly storage?: string } = {},
  ): Promise<Image> {
    const headers = { 'content-type': contentType };
    return this.#caller.json({ ...callOf('AddImageIcon', [uuid], options), headers, body: icon }, options);
  }

  /** The stream must be read to its end or destroyed. */
  async getImageIcon(uuid: string, options?: CallOptions): Promise<{ contentType: string; stream: ByteStream }> {
    const headers = { accept: '*/*' };
    const answer = await this.#caller.send({ ...callOf('GetImageIcon', [uuid]), headers }, options);
    return { contentType: answer.headers['content-type'] ?? 'application/octet-stream', stream: answer.body };
  }

  /** What a copy would bring, and what of it is already here. */
  planImageCopy(uuid: string, datacenter: string, options?: CallOptions): Promise<CopyPlan> {
    return this.#caller.json(callOf('GetImageCopy', [uuid], { plan: true, datacenter }), options);
  }

  getImageCopy(uuid: string, options?: CallOptions): Promise<CopyStatus> {
    return this.#caller.json(callOf('GetImageCopy', [uuid]), options);
  }

  /** The copy's status now and after each change, until it has ended. */
  async *watchImageCopy(uuid: string, options?: CallOptions): AsyncGenerator<CopyStatus, void> {
    const call = { ...callOf('GetImageCopy', [uuid]), headers: JSON_STREAM };
    yield* readJsonLines<CopyStatus>(await this.#caller.send(call, options));
  }

  /** Operators only. A line for each file, then the summary. */
  async *adminVerify(options: VerifyOptions = {}): AsyncGenerator<VerifyLine | VerifyStore | VerifySummary, void> {
    const call = { ...callOf('AdminVerify', [], options), headers: JSON_STREAM };
    yield* readJsonLines<VerifyLine | VerifyStore | VerifySummary>(await this.#caller.send(call, options));
  }

  async #startJob(call: Call, options?: CallOptions): Promise<StartedJob> {
    const answer = await this.#caller.send(call, options);
    const workflowApi = answer.headers['workflow-api'];
    const started = await readShaped<JobStarted>(answer, call.answer);
    return { ...started, ...(workflowApi !== undefined && { workflow_api: workflowApi }) };
  }
}

export type ImgapiClient = Client & ImgapiMethods;
export const ImgapiClient = Client as new (options: ImgapiClientOptions) => ImgapiClient;

function listCall(filter: ListImagesFilter, { inclAdminFields }: GetOptions): Call {
  return callOf('ListImages', [], { ...filterQuery(filter), inclAdminFields });
}

function long(options?: CallOptions): CallOptions {
  return { answerTimeout: LONG_ANSWER, ...options };
}
