/** What the parts of the service share: made once at start, passed down, never changed. */
import type Logger from 'bunyan';
import type { Accounts } from '#lib/accounts/accounts.ts';
import type { Store } from '#lib/documents/store.ts';
import type { Clock } from '#lib/runtime/clock.ts';
import type { Config } from './config/config.ts';
import type { FaultPoints } from './fault-points.ts';
import type { OwnAddresses } from './own-addresses.ts';
import type { Storages } from './storages.ts';

export interface Service {
  readonly config: Config;
  /**
   * Documents, and the clock that all processes share, `store.now()`: whatever is written down for another to judge is by
   * that one (leases, expiries, times of what happened), so that no process can outlive or outlaw another by its clock.
   */
  readonly store: Store;
  /** Objects. */
  readonly storages: Storages;
  /** The directory; absent in public and private mode. */
  readonly accounts: Accounts | undefined;
  /** This process's own: for what it signs, and for what others may compare with their own. */
  readonly clock: Clock;
  readonly log: Logger;
  /** Names this process among those that share the stores: leases carry it. */
  readonly worker: string;
  readonly faults: FaultPoints;
  /** Where this process listens; filled while it starts. */
  readonly ownAddresses: OwnAddresses;
}

/** Who asks, and what belongs to one request. */
export interface Caller {
  /** Absent: an operator. */
  readonly account: string | undefined;
  readonly requestId: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
}
