/**
 * What is stored of an image that is being made from a machine: a job with a lease. It is written in one batch with the
 * image's placeholder, so that a live job whose image is not there means that the image was deleted.
 */
import type { Lease } from '#lib/documents/lease.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Manifest } from '../images/record/new-record.ts';

export interface ImageJob {
  readonly uuid: string;
  readonly image: string;
  /** UUID of the machine. */
  readonly vm: string;
  /** Absent: an operator ordered it. */
  readonly account?: string;
  /** Whether somebody has to look after it. That of a deleted image is as long as its node may be at work on it. */
  readonly live: boolean;
  readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'canceled';
  /** ISO dates. */
  readonly created_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly incremental: boolean;
  readonly max_origin_depth?: number;
  /** Where the node is to bring the image. */
  readonly imgapi_url: string;
  /** Of the request, for the logs of the other services. */
  readonly request_id: string;
  /** What the node is told; only until it is. */
  readonly order?: NodeOrder;
  /** The node. */
  readonly server?: string;
  /** Milliseconds since the epoch. Written before CNAPI is asked to begin: from then on it may have heard. */
  readonly asked_at?: number;
  /** CNAPI's task; absent as long as its answer is not known. */
  readonly task?: string;
  readonly error?: { readonly message: string; readonly code: string };
  /** Absent: whoever comes first goes on. */
  readonly lease?: Lease;
  /** Counts the writes. */
  readonly rev: number;
}

export interface NodeOrder {
  readonly manifest: Manifest;
  /** Text of the script that runs in the machine before its image is taken. */
  readonly script: string;
}

export const IMAGE_JOBS: Bucket<ImageJob> = {
  name: 'imgapi_image_jobs',
  version: 1,
  index: {
    image: { type: 'string' },
    live: { type: 'boolean' },
    finished_at: { type: 'string' },
  },
};

export function putJob(job: ImageJob, ifEtag: string | null): Write {
  return { op: 'put', bucket: IMAGE_JOBS, key: job.uuid, value: job, ifEtag };
}

/** Whether a record under the job's UUID is of another image: it came after that of the job had been deleted. */
export function isAnother({ state }: Pick<ImageJob, 'state'>, { copy }: ImageRecord): boolean {
  return state === 'canceled' || copy !== undefined;
}

export function isOver({ state }: Pick<ImageJob, 'state'>): boolean {
  return state !== 'queued' && state !== 'running';
}
