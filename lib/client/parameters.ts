/** What single calls of the client take besides {@link CallOptions}. */

import type { Image } from '../api/schemas/image.ts';
import type { Compression } from '../manifest/record.ts';
import type { CallOptions } from './caller.ts';
import type { DownloadRange } from './download.ts';

export interface GetOptions extends CallOptions {
  /** With fields that only operators see, such as `files[].stor`. */
  readonly inclAdminFields?: boolean;
}

export interface WriteOptions extends CallOptions {
  /** ETag of the image as it was read: one that changed since answers 412. */
  readonly ifMatch?: string;
}

export interface DeleteOptions extends CallOptions {
  /** Also when the image is in other channels than the call's. */
  readonly forceAllChannels?: boolean;
}

export interface ImportOptions extends CallOptions {
  readonly skipOwnerCheck?: boolean;
}

/** What is said of a file that is added. */
export interface AddFileParameters {
  readonly compression: Compression;
  /** Lower-case hex; other bytes answer 400. */
  readonly sha1?: string;
  /** Name of the object store. */
  readonly storage?: string;
  readonly dataset_guid?: string;
}

export interface UploadParameters extends AddFileParameters {
  /** Bytes, when known. */
  readonly size?: number;
}

export interface FileOptions extends CallOptions, DownloadRange {
  /** Which of the image's files, from 0. */
  readonly index?: number;
}

export interface CopyParameters {
  /** Name of the datacenter to copy from. */
  readonly datacenter: string;
  /** Attach to what is there, but order nothing new. */
  readonly doNotRestart?: boolean;
  /** Only say what a recopy would change. */
  readonly dryRun?: boolean;
}

export interface PullUrlParameters {
  /** Which of the image's files, from 0. */
  readonly index?: number;
  /** `reqid` of an earlier URL, to go on with the bytes that it links. */
  readonly renew?: string;
}

export interface FromVmParameters {
  readonly vmUuid: string;
  readonly incremental?: boolean;
  readonly maxOriginDepth?: number;
}

/** An image with the tag of the state it was read in. */
export interface TaggedImage {
  readonly image: Image;
  readonly etag: string | undefined;
}
