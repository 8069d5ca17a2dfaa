/** What single calls of the client take besides {@link CallOptions}. */

import type { Image } from '../api/schemas/image.ts';
import type { JobStarted } from '../api/schemas/job.ts';
import type { Compression } from '../manifest/record.ts';
import type { CallOptions } from './caller.ts';
import type { DownloadRange } from './download.ts';

export interface GetOptions extends CallOptions {
  /** Asks for fields that only operators see, such as `files[].stor`. */
  readonly inclAdminFields?: boolean;
}

export interface ListAllOptions {
  readonly pageSize?: number;
  /** The caller looks for itself whether each has a UUID, and has another use for those that have none. */
  readonly distrusts?: boolean;
}

export interface ImportOptions extends CallOptions {
  readonly skip_owner_check?: boolean;
}

export interface RemoteImportOptions extends ImportOptions {
  /** ISO date. */
  readonly finish_by?: string;
}

/** What a request says of the file that it adds. */
export interface AddFileParameters {
  readonly compression: Compression;
  /** Lower-case hex. If the bytes do not match, the answer is 400. */
  readonly sha1?: string;
  /** Name of the object store. */
  readonly storage?: string;
  readonly dataset_guid?: string;
}

export interface UploadParameters extends AddFileParameters {
  /** Bytes, if known. */
  readonly size?: number;
}

export interface FileOptions extends CallOptions, DownloadRange {
  /** Which of the image's files, from 0. */
  readonly index?: number;
}

export interface FromVmParameters {
  readonly vmUuid: string;
  readonly incremental?: boolean;
  readonly maxOriginDepth?: number;
}

/** An image with its ETag. */
export interface TaggedImage {
  readonly image: Image;
  readonly etag: string | undefined;
}

/** A job that runs in the background. */
export interface StartedJob extends JobStarted {
  /** Where to ask for the job. */
  readonly workflow_api?: string;
}

export interface VerifyOptions extends CallOptions {
  /** Fetch the right bytes of damaged files from a linked datacenter. */
  readonly repair?: boolean | undefined;
  /** Absent: all images. */
  readonly uuid?: readonly string[] | undefined;
}
