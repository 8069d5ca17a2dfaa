/**
 * The documents of copies. Together with the image records they are all the state there is: whatever a process knows
 * beyond them may be lost at any moment, and what is lost then is at most the bytes since the last flush.
 *
 * - an *order* says who asked for which image from where, and how that ended;
 * - a *transfer* carries the bytes of one image, for all orders that need it;
 * - the image's own record is the *placeholder* (`placeholder.ts`) until it becomes usable.
 *
 * The moves between states are tables, in `states.ts`; who may ask for what is one, in `decision.ts`.
 */

import type { CopyKind, CopySource, CopyState, FieldChange } from '#lib/api/schemas/copy.ts';
import type { Lease } from '#lib/documents/lease.ts';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import type { Compression } from '#lib/manifest/record.ts';
import type { CopyFailure } from './failures.ts';
import type { TransferState } from './states.ts';

/** An image that an order brings, as it was at the source when the order was made. */
export interface OrderMember {
  readonly uuid: string;
  readonly name: string;
  readonly version: string;
  readonly sha1: string;
  /** Bytes. */
  readonly size: number;
  /** How it went; absent while the order is live. */
  readonly result?: MemberResult;
}

export interface MemberResult {
  readonly state: 'succeeded' | 'failed' | 'canceled';
  /** Bytes that are here. */
  readonly bytes: number;
  readonly attempt: number;
  readonly via?: CopySource;
  readonly error?: CopyFailure;
  /** As the transfer's. */
  readonly note?: string;
}

export interface CopyOrder {
  /** Also the job's. */
  readonly uuid: string;
  readonly kind: CopyKind;
  /** Who asked; absent: an operator. */
  readonly account?: string;
  /** The image that was asked for; the last of `members`. */
  readonly image: string;
  /** The datacenter's name, or the URL of an IMGAPI. */
  readonly source: string;
  readonly state: CopyState;
  /** Whether `state` is not final. */
  readonly live: boolean;
  /** Base first. */
  readonly members: readonly OrderMember[];
  /** The UUIDs of `members`, to find orders by. */
  readonly images: readonly string[];
  /** ISO date. */
  readonly created_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly error?: CopyFailure;
  /** What a recopy changed; only on an order that moved no bytes. */
  readonly changes?: readonly FieldChange[];
  /** Counts the writes of this document. */
  readonly rev: number;
}

/** What the next attempt waits for, and whether there is to be one. */
export interface Retry {
  /** Failures in a row since a byte came. */
  readonly count: number;
  /** Milliseconds since the epoch before which nobody takes the transfer up. */
  readonly not_before: number;
  /** Milliseconds since the epoch when the last new byte came, or the transfer was ordered. */
  readonly last_byte_at: number;
  /** How often all bytes were there and were the wrong ones. */
  readonly bad_hashes: number;
  /** The most bytes that were ever here: only what goes beyond is a new byte. */
  readonly peak: number;
  /** How often in a row it was put back for being too slow, and since when (milliseconds since the epoch). */
  readonly slow?: { readonly count: number; readonly since: number };
}

export interface Transfer {
  /** The image, and the document's key. */
  readonly image: string;
  /** Tells this transfer from earlier ones of the same image. */
  readonly id: string;
  readonly source: string;
  /** As whom the source is asked; absent: as operator. */
  readonly account?: string;
  readonly state: TransferState;
  /** Whether a live order lists it. */
  readonly live: boolean;
  /** The live orders that list it. */
  readonly orders: readonly string[];
  /** Name of the object store that the bytes go to. */
  readonly stor: string;
  readonly sha1: string;
  readonly sha256?: string;
  readonly compression: Compression;
  readonly dataset_guid?: string;
  /** Whether the source shows an icon. */
  readonly icon: boolean;
  /** Bytes of the file. */
  readonly total: number;
  /** Bytes that are here. */
  readonly bytes: number;
  /** Bytes per second, as last measured. */
  readonly rate?: number;
  /** Counts the claims. Each attempt has its own staging, see `sessionOf`; 0: none was made. */
  readonly attempt: number;
  /** The write session whose bytes the next attempt takes over. */
  readonly staged?: string;
  /** The worker of the running attempt. */
  readonly lease?: Lease;
  /** Milliseconds since the epoch of the last claim. */
  readonly claimed_at?: number;
  readonly retry: Retry;
  readonly via?: CopySource;
  /** Names the pull link at the source, to renew it by. */
  readonly pull?: string;
  /** What went otherwise than asked, such as a restart from the first byte. */
  readonly note?: string;
  /** The last failure; on a live transfer, the one that it is being retried after. */
  readonly error?: CopyFailure;
  readonly created_at: string;
  /** ISO date when it failed for good, or when no order wanted it any more. */
  readonly ended_at?: string;
  /** Where it waits for its turn while it is live, see `turns.ts`. */
  readonly lane?: string;
  /** Milliseconds since the epoch from which on it can be claimed; absent when there is nothing left to claim. */
  readonly ready_at?: number;
  /** Counts the writes of this document. */
  readonly rev: number;
}

const string = { type: 'string' } as const;
const strings = { type: 'string', array: true } as const;
const boolean = { type: 'boolean' } as const;

export const COPIES: Bucket<CopyOrder> = {
  name: 'imgapi_copies',
  version: 2,
  index: {
    uuid: string,
    image: string,
    images: strings,
    account: string,
    source: string,
    state: string,
    live: boolean,
    created_at: string,
    finished_at: string,
  },
  together: [['live', 'created_at']],
};

export const TRANSFERS: Bucket<Transfer> = {
  name: 'imgapi_transfers',
  version: 2,
  index: {
    source: string,
    state: string,
    live: boolean,
    orders: strings,
    ended_at: string,
    lane: string,
    ready_at: { type: 'number' },
  },
  together: [['lane', 'ready_at']],
};

/** A pull link that is needed no more, under SOURCE:REQID. */
export interface PullEnd {
  readonly source: string;
  readonly reqid: string;
  /** Times that the source was asked in vain. */
  readonly tries: number;
  /** Milliseconds since the epoch, by the store's clock, before which it is not asked. */
  readonly not_before: number;
  /** The same, when the pull link became useless. */
  readonly since: number;
}

export const PULL_ENDS: Bucket<PullEnd> = {
  name: 'imgapi_pull_ends',
  version: 1,
  index: { not_before: { type: 'number' } },
};

export const COPY_BUCKETS: readonly Bucket[] = [COPIES, TRANSFERS, PULL_ENDS];

/** `ifEtag`: the etag that the document was read with; null when it must not exist yet. */
export function putOrder(order: CopyOrder, ifEtag: string | null): Write {
  return { op: 'put', bucket: COPIES, key: order.uuid, value: { ...order, rev: order.rev + 1 }, ifEtag };
}

export function putTransfer(transfer: Transfer, ifEtag: string | null): Write {
  return { op: 'put', bucket: TRANSFERS, key: transfer.image, value: written(transfer), ifEtag };
}

/** The document as every write of it is: counted, and found by where and when it can be claimed. */
export function written({ lane: _, ready_at: __, ...transfer }: Transfer): Transfer {
  const { live, state, retry, lease, account, source } = transfer;
  const ready_at = state === 'queued' ? retry.not_before : state === 'running' ? (lease?.until ?? 0) : undefined;
  return {
    ...transfer,
    rev: transfer.rev + 1,
    ...(live && { lane: laneOf(accountName(account), source) }),
    ...(live && ready_at !== undefined && { ready_at }),
  };
}

/** All operators are one to those who wait. */
export function accountName(account: string | undefined): string {
  return account ?? 'operators';
}

export function laneOf(account: string, source: string): string {
  return `${account} ${source}`;
}

export function accountInLane(lane: string): string {
  return lane.slice(0, lane.indexOf(' '));
}

export function deleteTransfer(stored: Stored<Transfer>): Write {
  return { op: 'del', bucket: TRANSFERS, key: stored.key, ifEtag: stored.etag };
}
