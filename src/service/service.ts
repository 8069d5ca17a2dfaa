/** What the parts of the service share: created once at start, passed down, never changed. */
import type Logger from 'bunyan';
import type { CachedAccounts } from '#lib/accounts/cache.ts';
import type { Store } from '#lib/documents/store.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import type { Config } from './config/config.ts';
import type { FollowingStore } from './engines/following-store.ts';
import type { FaultPoints } from './fault-points.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Storages } from './storages.ts';

export interface Service {
  readonly config: Config;
  /**
   * Documents, and `store.now()`, the clock that all processes share. Times that another process will judge (leases,
   * expiries, times of events) are taken from it, so that a wrong clock of one process cannot harm the others.
   */
  readonly store: Store;
  /** The same documents, for who moves them to another engine; absent if they cannot be moved. */
  readonly documents?: FollowingStore;
  /** Objects. */
  readonly storages: Storages;
  /** The directory; absent in public and private mode. */
  readonly accounts: CachedAccounts | undefined;
  /** The clock of this process: for signatures, and for times that others compare with their own clock. */
  readonly clock: Clock;
  readonly log: Logger;
  /** Identifies this process among those that share the stores; leases hold it. */
  readonly worker: string;
  readonly faults: FaultPoints;
  /** Where this process listens; filled while it starts. */
  readonly ownAddresses: OwnAddresses;
}

/** Who sent a request, and what belongs to that request. */
export interface Caller {
  /** Absent: an operator. */
  readonly account: string | undefined;
  readonly requestId: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}
