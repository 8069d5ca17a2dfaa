/** A request and its answer, in the form of the tables of this folder. */

export type AccountName = 'user' | 'other' | 'admin' | 'disabled' | 'modern';
export type SignerName = AccountName | 'subuser' | 'nobody';

/** `older with host` signs two headers in the older form; a token is for the path after the colon, and acts for the user. */
export type Way = 'older' | 'newer' | 'older with host' | 'by URL' | 'by a URL that expired' | `token: ${string}`;

export interface Row {
  /** `GET /my/images/$mine`: the image of that name in `world.ts`. */
  readonly request: string;
  /** Who signs; default: the user. */
  readonly as?: SignerName;
  /** How; default: in the older form, as the tests of Triton's CloudAPI do. */
  readonly signed?: Way;
  /** `Accept-Version`; default: any. */
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sent as a form. */
  readonly form?: string;
  /** `409 InvalidArgument`: status and code; or `200 [a b]`: the names in a list. What follows a semicolon is for readers. */
  readonly ours: string;
  /** What the body matches. */
  readonly shows?: unknown;
  /** What the body is. */
  readonly is?: unknown;
  /** What the headers match. */
  readonly sends?: Readonly<Record<string, string | RegExp | undefined>>;
}

/** Where this service answers otherwise than Triton's CloudAPI, on purpose. */
export interface Difference extends Row {
  /** What Triton's CloudAPI answers. */
  readonly theirs: string;
  readonly why: string;
}

/** What a test of Triton's CloudAPI asserts. */
export interface Assertion extends Row {
  /** The file and the test there. */
  readonly from: string;
  /** Each image that is shown is held to what these tests say of images, in this version. */
  readonly images?: '7.0' | '8.0';
}
