/**
 * Whose transfer is next. Accounts take turns, and within an account the sources do: however many transfers one account
 * has waiting, failing or crawling, another one's is never behind more than one of each.
 *
 * Waiting transfers stand in *lanes*, one for each account and source. Both the next lane and what is ready in it come
 * straight from an index, so that a turn costs the same however many wait elsewhere; and one look takes at most
 * {@link MOST_ACCOUNTS} accounts, the next one goes on behind them.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import type { Filter, Stored, WithStore } from '#lib/documents/store.ts';
import { newUuid } from '#lib/text/uuid.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { accountInLane, laneOf, TRANSFERS, type Transfer } from '../documents/model.ts';

export const MOST_ACCOUNTS = 100;
/** Sources that are looked at in one turn of an account. */
const MOST_LANES = 20;
/** Ready transfers of a lane that are tried in one turn: another process may just have taken the first. */
const MOST_TRIED = 3;
/** Accounts that are remembered by their last source. */
const MOST_REMEMBERED = 10_000;

/** What a process remembers of the turns it gave. */
export class Turns {
  readonly #service: WithStore & WithConfig;
  /** The account that had the last turn. Processes begin at different ones. */
  #after = newUuid();
  /** By account, the lane that had its last turn. */
  readonly #lanes = new Map<string, string>();

  constructor(service: WithStore & WithConfig) {
    this.#service = service;
  }

  /**
   * Gives turns for as long as there is room and something is ready. Resolves to true when there may be more to give.
   * @param take claims the transfer; false when it cannot be claimed now
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

  /** The one behind the last, and behind all of them the first. */
  async #nextAccount(): Promise<string | undefined> {
    const next = (await this.#laneFrom(laneOf(this.#after, '~'))) ?? (await this.#laneFrom(''));
    return next === undefined ? undefined : accountInLane(next);
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
      const isOwn = next !== undefined && accountInLane(next) === account;
      // Behind its last source an account goes on with its first.
      const lane: string | undefined = isOwn ? next : await this.#laneFrom(first);
      if (lane === undefined || accountInLane(lane) !== account || seen.has(lane)) return false;
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

  /** What is due; and what is due later than anything can be, by a clock that was ahead. */
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

/** How many transfers may still begin. */
export interface Room {
  isFull(): boolean;
  /** Whether one more of the account may begin, and from the source. `account` as lanes name it. */
  takes(account: string, source?: string): boolean;
}
