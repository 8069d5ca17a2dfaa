/** The answer of CreateImageFilePullUrl. */
export interface PullUrl {
  /** Reads the file's bytes with no other credentials until `expires`. */
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
  /** True when the store has no links and the URL reads the image's own object: it ends with the image. */
  readonly direct: boolean;
}
