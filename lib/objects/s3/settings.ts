/** Of one upload. */
export const MOST_PARTS = 10_000;

/** Where the objects are, and how they are reached. */
export interface S3Settings {
  /** Absent: Amazon's own, by the region. */
  readonly endpoint?: string;
  readonly region: string;
  readonly bucket: string;
  /** All keys of this service begin with it and a slash. Its last part is what tells datacenters apart. */
  readonly prefix: string;
  /** Absent: whatever the SDK finds in the environment, in its files or from the machine. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Whether the bucket is part of the path rather than of the host's name. */
  readonly pathStyle: boolean;
  /** Certificates to trust beside the usual ones, in PEM. */
  readonly ca?: string;
  readonly limits?: Partial<S3Limits>;
}

/** Sizes in bytes, times in milliseconds. */
export interface S3Limits {
  /** Size of a part of an upload; an object has at most {@link MOST_PARTS}. At least 5 MiB. */
  readonly part: number;
  /** Memory for parts that are filled or sent, over all sessions. */
  readonly buffers: number;
  /** Largest object that one CopyObject takes, and size of the parts in which larger ones are copied. */
  readonly copy: number;
  readonly copyPart: number;
  /** Until a connection stands. */
  readonly connect: number;
  /** Without a byte on a connection that should bring some. */
  readonly idle: number;
  /** For one attempt of a call. */
  readonly call: number;
  /** For one attempt of a call during which the store may work in silence: copying, and completing an upload. */
  readonly slow: number;
  /** Attempts of a call. */
  readonly attempts: number;
  /** Before the second attempt; doubled each time. */
  readonly backoff: number;
  /** How long a commit is believed to be under way after its process was last heard of. */
  readonly claim: number;
  /** How long others may wait for memory before a session that waits for its source must give up its own. */
  readonly patience: number;
  /** How long a session may fill one block while others wait; after that it counts as one that waits for its source. */
  readonly turn: number;
}

const MIB = 1024 ** 2;

export const DEFAULT_LIMITS: S3Limits = {
  part: 8 * MIB,
  buffers: 64 * MIB,
  copy: 5 * 1024 * MIB,
  copyPart: 512 * MIB,
  connect: 5_000,
  idle: 30_000,
  call: 300_000,
  slow: 600_000,
  attempts: 5,
  backoff: 100,
  claim: 30_000,
  patience: 500,
  turn: 10_000,
};
