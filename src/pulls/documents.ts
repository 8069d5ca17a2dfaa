/** The documents about pull links. */
import type { Bucket } from '#lib/documents/store.ts';

/** A pull link, under its reqid. */
export interface PullRecord {
  readonly reqid: string;
  readonly uuid: string;
  readonly index: number;
  /** The linked datacenter that asked; empty for an operator of this one. */
  readonly datacenter: string;
  /** The account as which it asked. */
  readonly account?: string;
  /** Name of the object store. */
  readonly stor: string;
  /** The object that URLs read now: the link of `day`, or the image's own file when `direct`. */
  readonly path: string;
  /** `YYYYMMDD` of the last renewal; `ENDED` when it is good for nothing any more. */
  readonly day: string;
  readonly direct: boolean;
  /** The transfer that it was for has ended: it opens nothing, and holds no bytes. */
  readonly ended?: true;
  readonly size: number;
  readonly sha1: string;
  readonly sha256?: string;
  /** Base64; absent where the file's record has none. */
  readonly md5?: string;
  /** ISO date. */
  readonly created_at: string;
  /** ISO date: the youngest URL made of it. */
  readonly expires: string;
  /** Counts the writes of this record. */
  readonly rev: number;
}

/** Before every day, so that the reaper finds it old. */
export const ENDED = '';

export const PULL_LINKS: Bucket<PullRecord> = {
  name: 'imgapi_pulls',
  version: 2,
  index: { day: { type: 'string' }, datacenter: { type: 'string' }, uuid: { type: 'string' } },
};

/** The secret that signs URLs, under its purpose: one for all processes that share the store. */
export interface UrlSecretRecord {
  /** Hex. */
  readonly secret: string;
}

export const URL_SECRETS: Bucket<UrlSecretRecord> = { name: 'imgapi_url_secrets', version: 1, index: {} };

export const PULL_BUCKETS: readonly Bucket[] = [PULL_LINKS, URL_SECRETS];
