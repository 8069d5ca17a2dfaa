/** The stored documents about links with other datacenters. */
import type { LinkHealth } from '#lib/api/schemas/datacenter.ts';
import type { Bucket } from '#lib/documents/store.ts';

/** A public key in the formats of `ssh-keygen`. */
export interface PublicKey {
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** In OpenSSH format. */
  readonly publicKey: string;
  /** ISO date. */
  readonly added_at: string;
}

/** A link with another datacenter, stored under its name. */
export interface LinkRecord {
  readonly name: string;
  /** The other datacenter's link listener, without a trailing slash. */
  readonly url: string;
  /** The URL at which the other reaches our link listener; its requests are signed for this host. */
  readonly our_url: string;
  /** The other datacenter's keys that we accept; more than one during a rotation. */
  readonly keys: readonly PublicKey[];
  /** Fingerprint of the key of ours that we know the other accepts. */
  readonly our_key: string;
  /** Fingerprints of our old keys that the other has not yet been told to forget. */
  readonly retired_keys?: readonly string[];
  /**
   * The origins (scheme, host, port) allowed in the other's pull URLs: that of the link, and any that an operator here
   * named. Read them with `pullOriginsOf`.
   */
  readonly pull_origins: readonly string[];
  /** Absent on links made by an older version, whose `pull_origins` are what the other datacenter announced. */
  readonly pull_origins_named?: true;
  /** Further origins that the other announced: shown to operators, but never trusted. */
  readonly announced_pull_origins?: readonly string[];
  /** The accounts whose images the other may read. Absent: all accounts. */
  readonly allowed_accounts?: readonly string[];
  /** ISO date. */
  readonly created_at: string;
  readonly health?: LinkHealth;
  /** Incremented by every write. */
  readonly rev: number;
}

export const DATACENTERS: Bucket<LinkRecord> = { name: 'imgapi_datacenters', version: 1, index: {} };

/** An unused link token, stored under its id. Its secret is not stored and cannot be recovered. */
export interface LinkTokenRecord {
  readonly id: string;
  /** Key for the pairing's authentication codes, derived from the token's secret; hex. */
  readonly verifier: string;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
  /** The link's `allowed_accounts`. */
  readonly allowed_accounts?: readonly string[];
  /** The link's `pull_origins`, in addition to its own origin. */
  readonly pull_origins?: readonly string[];
}

export const LINK_TOKENS: Bucket<LinkTokenRecord> = {
  name: 'imgapi_link_tokens',
  version: 1,
  index: { expires_at: { type: 'number' } },
};

/** A used nonce, stored under `DATACENTER:NONCE`. */
export interface LinkNonceRecord {
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

export const LINK_NONCES: Bucket<LinkNonceRecord> = {
  name: 'imgapi_link_nonces',
  version: 1,
  index: { expires_at: { type: 'number' } },
};

/** What is left of a link's requests, under the name of the datacenter. */
export interface LinkRateRecord {
  readonly tokens: number;
  /** When that was so, in milliseconds since the epoch. */
  readonly at: number;
  readonly rev: number;
}

export const LINK_RATES: Bucket<LinkRateRecord> = { name: 'imgapi_link_rates', version: 1, index: {} };

/** A key pair of this datacenter. */
export interface OwnKey extends PublicKey {
  /** PKCS #8, PEM. */
  readonly privateKey: string;
}

/**
 * The keys of this datacenter. They are one document so that all processes that share the store switch keys at the
 * same moment.
 */
export interface OwnKeysRecord {
  /** Oldest first. There are two during a rotation; the last one is the new key. */
  readonly keys: readonly OwnKey[];
  readonly rev: number;
}

export const LINK_KEYS: Bucket<OwnKeysRecord> = { name: 'imgapi_link_keys', version: 1, index: {} };

export const LINK_BUCKETS: readonly Bucket[] = [DATACENTERS, LINK_TOKENS, LINK_NONCES, LINK_RATES, LINK_KEYS];
