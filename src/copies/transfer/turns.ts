/**
 * Decides whose transfer is next. Accounts take turns, and so do the sources within an account. Another datacenter counts as an
 * account of its own for what it orders here. However many transfers
 * one account has waiting, failing or crawling, at most one of them gets ahead of another account's next transfer.
 *
 * Waiting transfers stand in *lanes*, one for each account and source. The next lane and the ready transfers in it both
 * come from an index, so a turn costs the same however many others wait. One pass looks at no more than
 * {@link MOST_ACCOUNTS} accounts; the next pass continues after them.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Filter, Stored, WithStore } from '#lib/documents/store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { claimantInLane, laneOf, TRANSFERS, type Transfer } from '../documents/model.ts';

export const MOST_ACCOUNTS = 100;
/** Sources to look at in one turn of an account. */
const MOST_LANES = 20;
/** Ready transfers of a lane to try in one turn: another process may just have taken the first one. */
const MOST_TRIED = 3;
/** How many accounts to remember the last lane of. */
const MOST_REMEMBERED = 10_000;

/** The turns that this process has given, so that it knows who is next. */
export class Turns {
  readonly #service: WithStore & WithConfig;
  /** The account that had the last turn. It starts at random, so that processes begin at different accounts. */
  #after = newUuid();
  /** For each account, the lane that had the last turn. */
  readonly #lanes = new Map<string, string>();

  constructor(service: WithStore & WithConfig) {
    this.#service = service;
  }

  /**
   * Gives turns while there is room and something is ready. Resolves to true if more may be ready.
   * @param take claims the transfer; resolves to false if it cannot be claimed now
   */
  async give(room: Room, take: (stored: Stored<Transfer>) => Promise<boolean>): Promise<boolean> {
    if (room.isFull() || !(await this.#isAnyReady())) return false;
    let looked = 0;
    for (let taken = true; taken; ) {
      taken = false;
      const seen = new Set<string>();
      for (let account = await this.#nextAccount(); account !== undefined; account = await this.#nextAccount()) {
        if (seen.has(account)) break;
        if (room.isFull()) return false;
        if (looked++ >= MOST_ACCOUNTS) return true;
        seen.add(account);
        this.#after = account;
        if (room.takes(account) && (await this.#giveTurn(account, room, take))) taken = true;
        await breathe();
      }
    }
    return false;
  }

  async #isAnyReady(): Promise<boolean> {
    const sort = { field: 'ready_at', order: 'asc' } as const;
    const found = await this.#service.store.find(TRANSFERS, { filter: this.#ready(), sort, limit: 1 });
    return found.length > 0;
  }

  /** The account after the one that had the last turn; after the last of all, the first again. */
  async #nextAccount(): Promise<string | undefined> {
    const next = (await this.#laneFrom(laneOf(this.#after, '~'))) ?? (await this.#laneFrom(''));
    return next === undefined ? undefined : claimantInLane(next);
  }

  async #laneFrom(lane: string): Promise<string | undefined> {
    const [found] = await this.#service.store.find(TRANSFERS, {
      filter: { op: 'gt', field: 'lane', value: lane },
      sort: { field: 'lane', order: 'asc' },
      limit: 1,
    });
    return found?.value.lane;
  }

  async #giveTurn(account: string, room: Room, take: (stored: Stored<Transfer>) => Promise<boolean>): Promise<boolean> {
    const first = laneOf(account, '');
    const seen = new Set<string>();
    for (let after = this.#lanes.get(account) ?? first; seen.size < MOST_LANES; ) {
      const next: string | undefined = await this.#laneFrom(after);
      const isOwn = next !== undefined && claimantInLane(next) === account;
      // After an account's last source comes its first one again.
      const lane: string | undefined = isOwn ? next : await this.#laneFrom(first);
      if (lane === undefined || claimantInLane(lane) !== account || seen.has(lane)) return false;
      seen.add(lane);
      after = lane;
      for (const stored of await this.#readyIn(lane)) {
        if (!room.takes(account, stored.value.source)) break;
        if (!(await take(stored))) continue;
        if (this.#lanes.size >= MOST_REMEMBERED) this.#lanes.clear();
        this.#lanes.set(account, lane);
        return true;
      }
    }
    return false;
  }

  #readyIn(lane: string): Promise<Stored<Transfer>[]> {
    return this.#service.store.find(TRANSFERS, {
      filter: { op: 'and', of: [{ op: 'eq', field: 'lane', value: lane }, this.#ready()] },
      sort: { field: 'ready_at', order: 'asc' },
      limit: MOST_TRIED,
    });
  }

  /** Transfers that are due, and those with a time so far ahead that only a wrong clock can have set it. */
  #ready(): Filter {
    const { retryDelay, leaseSeconds } = this.#service.config.copies;
    const now = this.#service.store.now();
    const latest = now + Math.max(retryDelay.max, leaseSeconds) * 1000;
    return {
      op: 'or',
      of: [
        { op: 'le', field: 'ready_at', value: now },
        { op: 'gt', field: 'ready_at', value: latest },
      ],
    };
  }
}

/** Which transfers may still start. */
export interface Room {
  isFull(): boolean;
  /** Whether the account may start one more, from this source if given. `account` is the claimant that lanes name. */
  takes(account: string, source?: string): boolean;
}
