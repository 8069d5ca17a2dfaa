/**
 * The image part of a CloudAPI, as an account. Errors are those of IMGAPI's client: ImgapiError for what the server
 * refuses, ImgapiUnreachableError when it cannot be asked, the signal's reason when the call is aborted.
 */

import type { IMAGES } from '#lib/api/cloudapi/images.ts';
import type { Account, Datacenters as Urls } from '#lib/api/cloudapi/schemas/account.ts';
import type { CloudapiImage } from '#lib/api/cloudapi/schemas/image.ts';
import type { QueryOf } from '#lib/api/operation.ts';
import { PARTIAL_UPLOAD } from '#lib/api/partial-upload.ts';
import type { CopyPlan, CopyStatus } from '#lib/api/schemas/copy.ts';
import type { DeletedImage } from '#lib/api/schemas/deleted-image.ts';
import type { ImageEvent } from '#lib/api/schemas/event.ts';
import type { ShareSettings } from '#lib/api/schemas/share-settings.ts';
import type { Upload } from '#lib/api/schemas/upload.ts';
import type { ImageUsage } from '#lib/api/schemas/usage.ts';
import { readShaped } from '#lib/client/answer-shape.ts';
import { type Call, Caller, type CallOptions, type RequestSigner } from '#lib/client/caller.ts';
import type { ImgapiClient } from '#lib/client/client.ts';
import { readJsonLines } from '#lib/client/json-lines.ts';
import { LONG_ANSWER } from '#lib/client/methods.ts';
import type { AddFileParameters } from '#lib/client/parameters.ts';

export interface CloudapiClientOptions {
  readonly url: string;
  /** Login or UUID of the account in the paths. */
  readonly account: string;
  /** The roles that a sub-user takes, separated by commas; absent: those that it has by default. */
  readonly roles?: string;
  readonly signer: RequestSigner;
  readonly userAgent: string;
  readonly insecure: boolean;
}

export interface Datacenters {
  /** Name of the one that was asked, as far as it says so. */
  readonly here: string | undefined;
  /** URL of each one's CloudAPI by its name. */
  readonly urls: Urls;
}

/** A deleted image of the account, as CloudAPI shows it. */
export type DeletedCloudapiImage = Omit<DeletedImage, 'uuid' | 'owner'> & { readonly id: string };

export type ListImagesFilter = QueryOf<typeof IMAGES.ListImages>;

/** What has an `id`: images, and the account. */
const IDENTIFIED = { needs: ['id'] } as const;
const IDENTIFIED_LIST = { isList: true, needs: ['id'] } as const;

const VERSIONS = { 'accept-version': '~9||~8' };
const LINES = { accept: 'application/x-json-stream' };

export class CloudapiClient {
  readonly url: string;
  readonly #caller: Caller;
  readonly #base: string;
  readonly #roles: Call['query'];
  #account: Promise<Account> | undefined;

  constructor({ account, roles, ...options }: CloudapiClientOptions) {
    this.url = options.url;
    this.#caller = new Caller(options);
    this.#base = `/${encodeURIComponent(account)}`;
    this.#roles = roles === undefined ? undefined : { 'as-role': roles };
  }

  /** Breaks off what is under way. */
  destroy(): Promise<void> {
    return this.#caller.transport.destroy();
  }

  /** Asked once. */
  account(options: CallOptions): Promise<Account> {
    this.#account ??= this.#json<Account>({ method: 'GET', path: '', answer: IDENTIFIED }, options);
    return this.#account;
  }

  async datacenters(options: CallOptions): Promise<Datacenters> {
    const answer = await this.#caller.send(this.#call({ method: 'GET', path: '/datacenters' }), options);
    const here = answer.headers['triton-datacenter-name'];
    return { here, urls: await readShaped<Urls>(answer, {}) };
  }

  /** @param filter `owner: 'me'` for one's own */
  listImages(filter: ListImagesFilter, options: CallOptions): Promise<CloudapiImage[]> {
    return this.#json({ method: 'GET', path: '/images', query: filter, answer: IDENTIFIED_LIST }, options);
  }

  getImage(id: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#json({ method: 'GET', path: image(id), answer: IDENTIFIED }, options);
  }

  /** The image first, its base last. */
  ancestry(id: string, options: CallOptions): Promise<CloudapiImage[]> {
    return this.#json({ method: 'GET', path: `${image(id)}/ancestry`, answer: IDENTIFIED_LIST }, options);
  }

  usage(id: string, options: CallOptions): Promise<ImageUsage> {
    return this.#json({ method: 'GET', path: `${image(id)}/usage` }, options);
  }

  /** The newest first. @param query `kind`, `limit`, `marker` */
  events(id: string, query: Call['query'], options: CallOptions): Promise<ImageEvent[]> {
    return this.#json(
      { method: 'GET', path: `${image(id)}/events`, answer: { isList: true }, ...(query && { query }) },
      options,
    );
  }

  update(id: string, fields: Readonly<Record<string, string>>, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'update', ...fields }, options);
  }

  /** @param account login or UUID */
  share(id: string, account: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'share', account }, options);
  }

  unshare(id: string, account: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'unshare', account }, options);
  }

  accept(id: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'accept' }, options);
  }

  shareSettings(options: CallOptions): Promise<Omit<ShareSettings, 'account'>> {
    return this.#json({ method: 'GET', path: '/sharesettings' }, options);
  }

  changeShareSettings(change: object, options: CallOptions): Promise<Omit<ShareSettings, 'account'>> {
    return this.#json({ method: 'POST', path: '/sharesettings', json: change }, options);
  }

  /** Ends the access of the account itself to what another one shared with it. */
  leave(id: string, account: string, options: CallOptions): Promise<void> {
    const call: Call = { method: 'POST', path: image(id), query: { action: 'unshare', account } };
    return this.#caller.done(this.#call(call), options);
  }

  /** Answers the clone. */
  clone(id: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'clone' }, { answerTimeout: LONG_ANSWER, ...options });
  }

  /** Not active, and without its file. @param key with the same one no second image is made */
  createImage(fields: object, key: string, options: CallOptions): Promise<CloudapiImage> {
    const headers = { 'idempotency-key': key };
    const query = { action: 'create-from-file' };
    return this.#json({ method: 'POST', path: '/images', query, headers, json: fields, answer: IDENTIFIED }, options);
  }

  activateImage(id: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'activate' }, options);
  }

  /** The upload of a file of so many bytes, which may have begun before: `offset` says where it goes on. */
  beginImageUpload(
    id: string,
    { size, compression, sha1 }: AddFileParameters & { readonly size: number; readonly sha1: string },
    options: CallOptions,
  ): Promise<Upload> {
    const headers = { 'upload-length': String(size) };
    return this.#json({ method: 'POST', path: `${image(id)}/uploads`, query: { compression, sha1 }, headers }, options);
  }

  getImageUpload(id: string, upload: string, options: CallOptions): Promise<Upload> {
    return this.#json({ method: 'GET', path: uploadOf(id, upload) }, options);
  }

  /** The image once it has its file. The source is read to its end, or destroyed when the server wants no more. */
  async appendImageUpload(
    id: string,
    upload: string,
    source: AsyncIterable<Uint8Array>,
    { offset, size }: { readonly offset: number; readonly size: number },
    options: CallOptions,
  ): Promise<CloudapiImage | undefined> {
    const headers = {
      'content-type': PARTIAL_UPLOAD,
      'content-length': String(size),
      'upload-offset': String(offset),
    };
    const call = this.#call({ method: 'PATCH', path: uploadOf(id, upload), headers, body: source });
    const answer = await this.#caller.send(call, { answerTimeout: LONG_ANSWER, ...options });
    if (answer.status !== 204) return readShaped<CloudapiImage>(answer, IDENTIFIED);
    answer.body.resume();
    return undefined;
  }

  deleteImage(id: string, options: CallOptions): Promise<void> {
    return this.#caller.done(this.#call({ method: 'DELETE', path: image(id) }), options);
  }

  /** Those that go first at the beginning. */
  deletedImages(options: CallOptions): Promise<DeletedCloudapiImage[]> {
    return this.#json({ method: 'GET', path: '/deletedimages', answer: IDENTIFIED_LIST }, options);
  }

  undelete(id: string, options: CallOptions): Promise<CloudapiImage> {
    return this.#act(id, { action: 'undelete' }, options);
  }

  copyImageFromDc(id: string, options: Parameters<ImgapiClient['copyImageFromDc']>[1]): Promise<CopyStatus> {
    const { datacenter, dry_run, finish_by } = options;
    const query = { action: 'copy-from-dc', datacenter, id, dry_run, finish_by };
    return this.#json({ method: 'POST', path: '/images', query }, options);
  }

  planImageCopy(id: string, datacenter: string, options: CallOptions = {}): Promise<CopyPlan> {
    return this.#json({ method: 'GET', path: copy(id), query: { plan: true, datacenter } }, options);
  }

  getImageCopy(id: string, options: CallOptions): Promise<CopyStatus> {
    return this.#json({ method: 'GET', path: copy(id) }, options);
  }

  /** The status at once and after each change, until the copy has ended. */
  async *watchImageCopy(id: string, options: CallOptions = {}): AsyncGenerator<CopyStatus, void> {
    const call = this.#call({ method: 'GET', path: copy(id), headers: LINES });
    yield* readJsonLines<CopyStatus>(await this.#caller.send(call, options));
  }

  cancelImageCopy(id: string, options: CallOptions): Promise<CopyStatus> {
    return this.#json({ method: 'DELETE', path: copy(id) }, options);
  }

  /** What changes an image, or makes one of it, and answers that. */
  #act(id: string, query: Call['query'], options: CallOptions): Promise<CloudapiImage> {
    return this.#json({ method: 'POST', path: image(id), answer: IDENTIFIED, ...(query && { query }) }, options);
  }

  #json<T>(call: Call, options: CallOptions): Promise<T> {
    return this.#caller.json<T>(this.#call({ answer: {}, ...call }), options);
  }

  #call(call: Call): Call {
    const query = { ...call.query, ...this.#roles };
    return { ...call, query, path: `${this.#base}${call.path}`, headers: { ...VERSIONS, ...call.headers } };
  }
}

function image(id: string): string {
  return `/images/${encodeURIComponent(id)}`;
}

function uploadOf(id: string, upload: string): string {
  return `${image(id)}/uploads/${encodeURIComponent(upload)}`;
}

function copy(id: string): string {
  return `${image(id)}/copy`;
}
