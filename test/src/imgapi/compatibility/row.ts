/** A request and its answer, in the form of the tables of this folder. */
import type { ImageName } from './images.ts';
import type { ServerName } from './servers.ts';

export interface Row {
  /** `GET /images/$disabled`: an image of that kind is made for the row, see `images.ts`. */
  readonly request: string;
  /** Default `dc`. */
  readonly on?: ServerName;
  /** Images that are there besides. */
  readonly with?: readonly ImageName[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with a signature: a good one, one by a key that nobody knows, or one of a kind that today's IMGAPI does not take. */
  readonly signed?: 'well' | 'badly' | 'by ECDSA' | 'by Ed25519';
  /** Fields over those of a manifest that is right. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string;
  /**
   * `422 InvalidParameter limit/Invalid`: status, code, and what is wrong with which field; or `200 [a b]`: the names in a
   * list. What follows a semicolon is for readers.
   */
  readonly ours: string;
  /** What the body matches. */
  readonly shows?: object;
  /** What the headers match. */
  readonly sends?: Readonly<Record<string, string | RegExp | undefined>>;
}

/** Where this service answers otherwise than today's IMGAPI, on purpose. */
export interface Difference extends Row {
  /** What today's IMGAPI answers. */
  readonly theirs: string;
  readonly why: string;
}
