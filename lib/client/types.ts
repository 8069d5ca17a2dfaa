/** The JSON that IMGAPI speaks, as its clients see it. Field names are the wire's. */
import type { Compression, ImageOs, ImageType } from '../manifest/record.ts';

/** What `Accept-Version` may ask for; `*` and whatever 2.0.0 satisfies get the 2.0.0 view. */
export type ApiVersion = '~1' | '~2' | '~3' | '*';

/** What versions 1 and 2 know. */
export const API_STATES = ['active', 'unactivated', 'disabled', 'creating', 'failed'] as const;
/** Version 3 tells an image that is on its way from another datacenter from one that is being made here. */
export const API_STATES_V3 = [...API_STATES, 'copying'] as const;
export type ApiState = (typeof API_STATES)[number];
export type ApiStateV3 = (typeof API_STATES_V3)[number];

export interface ApiFile {
  readonly sha1: string;
  /** Bytes. */
  readonly size: number;
  readonly compression: Compression;
  readonly dataset_guid?: string;
  /** Name of the object store; with `inclAdminFields` only. */
  readonly stor?: string;
}

/** An image in the view of API version 1. */
export interface ApiImageV1 {
  readonly v: number;
  readonly uuid: string;
  readonly owner: string;
  readonly name: string;
  readonly version: string;
  readonly state: ApiState;
  readonly disabled: boolean;
  readonly public: boolean;
  /** ISO date; absent until activated. */
  readonly published_at?: string;
  /** Absent on placeholders. */
  readonly type?: ImageType;
  readonly os?: ImageOs;
  readonly files: readonly ApiFile[];
  /** Account UUIDs. */
  readonly acl?: readonly string[];
  readonly description?: string;
  readonly homepage?: string;
  readonly eula?: string;
  readonly icon?: boolean;
  readonly urn?: string;
  readonly requirements?: Readonly<Record<string, unknown>>;
  readonly users?: readonly { readonly name: string }[];
  readonly generate_passwords?: boolean;
  readonly inherited_directories?: readonly string[];
  readonly origin?: string;
  readonly nic_driver?: string;
  readonly disk_driver?: string;
  readonly cpu_type?: string;
  /** MiB. */
  readonly image_size?: number;
  readonly tags?: Readonly<Record<string, unknown>>;
  readonly billing_tags?: readonly string[];
  readonly traits?: Readonly<Record<string, unknown>>;
  /** In state failed. */
  readonly error?: { readonly code?: string; readonly message?: string; readonly stack?: string };
}

export interface ApiImageV2 extends ApiImageV1 {
  readonly channels?: readonly string[];
}

export interface ApiImageV3 extends Omit<ApiImageV2, 'state' | 'acl'> {
  readonly state: ApiStateV3;
  /** UUIDs and logins as the owner typed them; a sharee sees only its own UUID. */
  readonly acl?: readonly string[];
  /** Absent while the directory is down. */
  readonly owner_login?: string;
  /** The entries of the ACL that open the image to the asking account. */
  readonly shared_as?: readonly string[];
  /** To the owner: the entries whose account left, as typed; they open nothing until they are added again. */
  readonly left_by?: readonly string[];
  readonly copied_from?: { readonly datacenter: string; readonly at: string };
  readonly cloned_from?: { readonly uuid: string; readonly owner: string };
}

/** An image in any view: the fields of version 3 are there when it was asked for. */
export type ApiImage = ApiImageV3;

/** What a caller may send to create, import or update an image; null removes a field on update. */
export type ImageFields = Readonly<Record<string, unknown>>;

export interface Channel {
  readonly name: string;
  readonly description?: string;
  readonly default?: boolean;
}

export interface Pong {
  readonly ping: 'pong';
  readonly version: string;
  readonly imgapi: boolean;
  readonly pid?: number;
  readonly user?: string;
}

/** The answer of an action that goes on in the background. */
export interface JobStarted {
  readonly image_uuid: string;
  readonly job_uuid: string;
  /** Where to ask for the job: the `workflow-api` header. */
  readonly workflow_api?: string;
}

export const JOB_EXECUTIONS = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type JobExecution = (typeof JOB_EXECUTIONS)[number];

/** A job in the form of the workflow service. */
export interface Job {
  readonly uuid: string;
  readonly name?: string;
  readonly execution: JobExecution;
  readonly image_uuid?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly chain_results?: readonly { readonly name?: string; readonly result?: string; readonly error?: unknown }[];
  readonly created_at?: string;
}

/** One member of an image's chain of origins, the image itself first. */
export interface AncestryEntry {
  readonly uuid: string;
  /** Absent when the origin is not here, or not for the caller to see. */
  readonly name?: string;
  readonly version?: string;
  readonly owner?: string;
  readonly state?: ApiStateV3;
  readonly origin?: string;
  /** Bytes. */
  readonly size?: number;
}

export const COPY_STATES = ['queued', 'running', 'succeeded', 'failed', 'canceled'] as const;
export type CopyState = (typeof COPY_STATES)[number];

export const COPY_KINDS = ['copy-from-dc', 'import-from-datacenter', 'import-remote'] as const;
export type CopyKind = (typeof COPY_KINDS)[number];

/** How bytes travel: a second name in a store that both datacenters use, the source's store, or its IMGAPI. */
export const COPY_SOURCES = ['link', 'pull-url', 'imgapi'] as const;
export type CopySource = (typeof COPY_SOURCES)[number];

export interface CopyError {
  readonly code: string;
  readonly message: string;
}

export interface CopyImageStatus {
  readonly uuid: string;
  readonly name: string;
  readonly version: string;
  /** `received`: verified and in its place, waiting for the rest of its order. */
  readonly state: CopyState | 'received';
  readonly bytes_done: number;
  readonly bytes_total: number;
  /** Bytes per second; 0 while nothing flows. */
  readonly rate: number;
  /** Absent until bytes flow. */
  readonly source?: CopySource;
  /** Counts the tries, from 1; 0 before the first. */
  readonly attempt: number;
  /** The last failure, also while it is being retried after. */
  readonly error?: CopyError;
  /** What went otherwise than asked, such as a restart from the first byte. */
  readonly note?: string;
}

/** An order to bring an image and its chain from another datacenter. */
export interface CopyStatus {
  readonly image_uuid: string;
  /** The order's UUID, also its job's. */
  readonly order: string;
  /** Who asked; absent: an operator. */
  readonly account?: string;
  readonly datacenter: string;
  readonly state: CopyState;
  readonly kind: CopyKind;
  /** ISO dates. */
  readonly created_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly error?: CopyError;
  readonly bytes_done: number;
  readonly bytes_total: number;
  /** Bytes per second; 0 while nothing flows. */
  readonly rate: number;
  /** Seconds; absent while it cannot be told. */
  readonly eta?: number;
  /** What a recopy of an image that is here already changed, or would change. */
  readonly changes?: readonly { readonly field: string; readonly from?: unknown; readonly to?: unknown }[];
  /** Base first. */
  readonly images: readonly CopyImageStatus[];
}

/** What a copy would bring. */
export interface CopyPlan {
  readonly image_uuid: string;
  readonly datacenter: string;
  /** Base first. */
  readonly images: readonly {
    readonly uuid: string;
    readonly name: string;
    readonly version: string;
    /** Bytes. */
    readonly size: number;
    readonly here: boolean;
    /** `attach`: another order brings it already. */
    readonly action: 'copy' | 'here' | 'attach';
  }[];
  readonly bytes_total: number;
  readonly bytes_to_copy: number;
}

/** A URL that reads a file's bytes with no other credentials until it expires. */
export interface PullUrl {
  readonly url: string;
  /** ISO date. */
  readonly expires: string;
  /** Names the pull link: pass it as `renew` to get a new URL for the same bytes. */
  readonly reqid: string;
  /** Bytes. */
  readonly size: number;
  readonly sha1: string;
  readonly sha256?: string;
  /** Base64; absent where the file's record has none. */
  readonly md5?: string;
  /** True when the URL reads the image's own object, and so ends with the image. */
  readonly direct?: boolean;
}

/** A datacenter that images can be copied from, and what is known of its link. */
export interface Datacenter {
  readonly name: string;
  readonly url?: string;
  readonly kind?: string;
  readonly state?: string;
  readonly [detail: string]: unknown;
}

/** The answer of ExportImage. */
export interface ExportedImage {
  readonly manta_url: string;
  readonly image_path: string;
  readonly manifest_path: string;
}
