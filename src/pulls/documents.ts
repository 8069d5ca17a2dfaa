/** The documents about pull links. */
import type { Bucket } from '#lib/documents/store.ts';

/** A pull link, keyed by its reqid. */
export interface PullRecord {
  readonly reqid: string;
  readonly uuid: string;
  readonly index: number;
  /** The linked datacenter that asked; empty for an operator of this one. */
  readonly datacenter: string;
  /** The account on whose behalf it asked. */
  readonly account?: string;
  /** Name of the object store. */
  readonly stor: string;
  /** The object that URLs now read: the link of `day`, or the image's own file when `direct`. */
  readonly path: string;
  /** `YYYYMMDD` of the last renewal; `ENDED` when the link is no longer valid. */
  readonly day: string;
  readonly direct: boolean;
  /** Its transfer is over: it opens nothing, and holds no bytes. */
  readonly ended?: true;
  readonly size: number;
  readonly sha1: string;
  readonly sha256?: string;
  /** Base64; absent where the file's record has none. */
  readonly md5?: string;
  /** ISO date. */
  readonly created_at: string;
  /** ISO date: when the latest URL made from it expires. */
  readonly expires: string;
  /** Counts the writes of this record. */
  readonly rev: number;
}

/** Sorts before every day, so that the reaper finds it expired. */
export const ENDED = '';

export const PULL_LINKS: Bucket<PullRecord> = {
  name: 'imgapi_pulls',
  version: 2,
  index: { day: { type: 'string' }, datacenter: { type: 'string' }, uuid: { type: 'string' } },
};

/** The secret that signs URLs, keyed by its purpose: one for all processes that share the store. */
export interface UrlSecretRecord {
  /** Hex. */
  readonly secret: string;
}

export const URL_SECRETS: Bucket<UrlSecretRecord> = { name: 'imgapi_url_secrets', version: 1, index: {} };

export const PULL_BUCKETS: readonly Bucket[] = [PULL_LINKS, URL_SECRETS];
