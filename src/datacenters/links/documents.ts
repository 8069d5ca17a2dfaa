/** The documents about links with other datacenters. */
import type { LinkHealth } from '#lib/api/schemas/datacenter.ts';
import type { Bucket } from '#lib/documents/store.ts';

/** A public key, as `ssh-keygen` writes and names it. */
export interface PublicKey {
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** OpenSSH form. */
  readonly publicKey: string;
  /** ISO date. */
  readonly added_at: string;
}

/** The trust in one other datacenter, under its name. */
export interface LinkRecord {
  readonly name: string;
  /** Of the other's link listener, without a slash at the end. */
  readonly url: string;
  /** The URL by which the other reaches our link listener: requests it signs name that host. */
  readonly our_url: string;
  /** The other's keys that are accepted now; several while it rotates. */
  readonly keys: readonly PublicKey[];
  /** Fingerprint of the key of ours that the other is known to accept. */
  readonly our_key: string;
  /** Fingerprints of keys of ours that are out of use, and that the other has not yet been told to forget. */
  readonly retired_keys?: readonly string[];
  /**
   * Origins (scheme, host, port) that a pull URL of the other may have: the link's own, and those that an operator here
   * named. Read them by `pullOriginsOf`.
   */
  readonly pull_origins: readonly string[];
  /** Absent on links of an older version, whose `pull_origins` hold what the other announced. */
  readonly pull_origins_named?: true;
  /** What the other says of itself beyond that: shown to the operator, and good for nothing else. */
  readonly announced_pull_origins?: readonly string[];
  /** The accounts whose images the other may read; absent: all. */
  readonly allowed_accounts?: readonly string[];
  /** ISO date. */
  readonly created_at: string;
  readonly health?: LinkHealth;
  /** Counts the writes of this record. */
  readonly rev: number;
}

export const DATACENTERS: Bucket<LinkRecord> = { name: 'imgapi_datacenters', version: 1, index: {} };

/** A link token that was not used yet, under its id. What is kept of the secret cannot be turned back into it. */
export interface LinkTokenRecord {
  readonly id: string;
  /** Key of the pairing's authentication codes, derived from the token's secret; hex. */
  readonly verifier: string;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
  /** Becomes `allowed_accounts` of the link. */
  readonly allowed_accounts?: readonly string[];
  /** Become `pull_origins` of the link, beside its own. */
  readonly pull_origins?: readonly string[];
}

export const LINK_TOKENS: Bucket<LinkTokenRecord> = {
  name: 'imgapi_link_tokens',
  version: 1,
  index: { expires_at: { type: 'number' } },
};

/** A nonce that was seen, under `DATACENTER:NONCE`. */
export interface LinkNonceRecord {
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

export const LINK_NONCES: Bucket<LinkNonceRecord> = {
  name: 'imgapi_link_nonces',
  version: 1,
  index: { expires_at: { type: 'number' } },
};

/** A key pair of this datacenter. */
export interface OwnKey extends PublicKey {
  /** PKCS #8 in PEM. */
  readonly privateKey: string;
}

/**
 * The keys of this datacenter, one document, because all processes that share the store speak with one voice and
 * rotate at the same instant.
 */
export interface OwnKeysRecord {
  /** Oldest first; two while a rotation is under way, the last one being the new key. */
  readonly keys: readonly OwnKey[];
  readonly rev: number;
}

export const LINK_KEYS: Bucket<OwnKeysRecord> = { name: 'imgapi_link_keys', version: 1, index: {} };

export const LINK_BUCKETS: readonly Bucket[] = [DATACENTERS, LINK_TOKENS, LINK_NONCES, LINK_KEYS];
