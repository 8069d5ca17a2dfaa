/** What single calls of the client take besides {@link CallOptions}. */

import type { Image } from '../api/schemas/image.ts';
import type { JobStarted } from '../api/schemas/job.ts';
import type { Compression } from '../manifest/record.ts';
import type { CallOptions } from './caller.ts';
import type { DownloadRange } from './download.ts';

export interface GetOptions extends CallOptions {
  /** With fields that only operators see, such as `files[].stor`. */
  readonly inclAdminFields?: boolean;
}

export interface ImportOptions extends CallOptions {
  readonly skip_owner_check?: boolean;
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

/** What goes on in the background. */
export interface StartedJob extends JobStarted {
  /** Where to ask for the job. */
  readonly workflow_api?: string;
}

export interface VerifyOptions extends CallOptions {
  /** Fetches the right bytes of a damaged file from a linked datacenter. */
  readonly repair?: boolean | undefined;
  /** Absent: all images. */
  readonly uuid?: readonly string[] | undefined;
}
