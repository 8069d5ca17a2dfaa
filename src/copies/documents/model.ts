/**
 * The documents of copies. Together with the image records they hold all the state. A process may die at any moment:
 * at most the bytes since the last flush are lost with it.
 *
 * - an *order* says who asked for which image from where, and how it ended;
 * - a *transfer* brings the bytes of one image, for all orders that need it;
 * - the image's own record is the *placeholder* (`placeholder.ts`) until it becomes usable.
 *
 * The tables in `states.ts` list the moves between states; the one in `decision.ts` says who may ask for what.
 */

import type { CopyKind, CopySource, CopyState, FieldChange } from '#lib/api/schemas/copy.ts';
import type { Lease } from '#lib/documents/lease.ts';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import type { Compression } from '#lib/manifest/record.ts';
import type { CopyFailure } from './failures.ts';
import type { TransferState } from './states.ts';

/** An image that an order brings, as it was at the source when the order was placed. */
export interface OrderMember {
  readonly uuid: string;
  readonly name: string;
  readonly version: string;
  readonly sha1: string;
  /** In bytes. */
  readonly size: number;
  /** How it ended; absent while the order is live. */
  readonly result?: MemberResult;
}

export interface MemberResult {
  readonly state: 'succeeded' | 'failed' | 'canceled';
  /** How many bytes are here. */
  readonly bytes: number;
  readonly attempt: number;
  readonly via?: CopySource;
  readonly error?: CopyFailure;
  /** The note of the transfer. */
  readonly note?: string;
}

/** Another datacenter that ordered a copy here, on behalf of the account. */
export interface OrderedBy {
  readonly datacenter: string;
  /** The UUID of its fan-out there. */
  readonly fan_out: string;
}

/** The images of an order stay hidden until whoever ordered it releases them. */
export interface Hold {
  /** Milliseconds since the epoch: when the order fails if it has not been released. */
  readonly until: number;
}

export interface CopyOrder {
  /** Also the UUID of the job. */
  readonly uuid: string;
  readonly kind: CopyKind;
  readonly ordered_by?: OrderedBy;
  readonly hold?: Hold;
  /** The account that asked; absent for an operator. */
  readonly account?: string;
  /** Of the request, for the log of events; absent on orders of earlier versions. */
  readonly request_id?: string;
  /** The image that was asked for: the last one in `members`. */
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
  /** ISO date: when it is to have ended. */
  readonly finish_by?: string;
  /** ISO date: when it was first seen that it cannot have ended by then. */
  readonly late_at?: string;
  readonly finished_at?: string;
  readonly error?: CopyFailure;
  /** What changed when an image was copied again; only on an order that moved no bytes. */
  readonly changes?: readonly FieldChange[];
  /** Counts the writes of this document. */
  readonly rev: number;
}

/** What decides whether, and when, there is another attempt. */
export interface Retry {
  /** Failures in a row since the last new byte. */
  readonly count: number;
  /** Milliseconds since the epoch; nobody claims the transfer before then. */
  readonly not_before: number;
  /** Milliseconds since the epoch: when the last new byte came, or when the transfer was ordered. */
  readonly last_byte_at: number;
  /** How often the file was complete but had the wrong hashes. */
  readonly bad_hashes: number;
  /** Set once the source sent a file from its first byte where a range was asked for. */
  readonly no_ranges?: true;
  /**
   * How often since the last new byte the hashes of pieces could not be had from a source that answered otherwise, and whether
   * that was once so often that it is not asked for them any more.
   */
  readonly untold?: number;
  readonly no_pieces?: true;
  /** The most bytes that were ever here. Only bytes beyond these count as new. */
  readonly peak: number;
  /** How often in a row the transfer was put back because it was too slow, and since when (ms since the epoch). */
  readonly slow?: { readonly count: number; readonly since: number };
}

export interface Transfer {
  /** The image, and the document's key. */
  readonly image: string;
  /** Tells this transfer from earlier ones of the same image. */
  readonly id: string;
  readonly source: string;
  /** The account that the source is asked for; absent for an operator. */
  readonly account?: string;
  /** The datacenter that ordered it, as long as nobody here did. */
  readonly ordered_by?: string;
  readonly state: TransferState;
  /** Whether a live order lists it. */
  readonly live: boolean;
  /** The live orders that list it. */
  readonly orders: readonly string[];
  /** The name of the object store that the bytes go to. */
  readonly stor: string;
  readonly sha1: string;
  readonly sha256?: string;
  readonly compression: Compression;
  readonly dataset_guid?: string;
  /** Whether the source shows an icon. */
  readonly icon: boolean;
  /** The size of the file in bytes. */
  readonly total: number;
  /** How many bytes are here. */
  readonly bytes: number;
  /** Bytes per second, as last measured. */
  readonly rate?: number;
  /** Some of its orders have to end by a certain time. */
  readonly has_deadline?: true;
  /** Counts the attempts; 0 before the first. Each attempt has its own staging, see `sessionOf`. */
  readonly attempt: number;
  /** The write session whose bytes the next attempt takes over. */
  readonly staged?: string;
  /** How many of the staged bytes, from the first one on, are there without a gap; absent: all that are staged. */
  readonly solid?: number;
  /** Whether the writer of `staged` was certain to be over when the transfer was claimed. */
  readonly is_writer_over?: boolean;
  /** It was failed from outside while an attempt was running, which may go on writing for a moment. */
  readonly writer_unknown?: true;
  /** The worker of the running attempt. */
  readonly lease?: Lease;
  /** When it was last claimed, in milliseconds since the epoch. */
  readonly claimed_at?: number;
  readonly retry: Retry;
  readonly via?: CopySource;
  /** The ID of the pull link at the source, needed to renew it. */
  readonly pull?: string;
  /** Anything unusual that happened, such as a restart from the first byte. */
  readonly note?: string;
  /** What failed last, unless bytes have come since, and fast enough. A live transfer is being tried again after it. */
  readonly error?: CopyFailure;
  readonly created_at: string;
  /** ISO date when it failed for good, or when no order needed it any more. */
  readonly ended_at?: string;
  /** The lane in which it waits for its turn while it is live, see `turns.ts`. */
  readonly lane?: string;
  /** When it can be claimed, in milliseconds since the epoch; absent if there is nothing left to claim. */
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

/** A pull link that is no longer needed. The key is SOURCE:REQID. */
export interface PullEnd {
  readonly source: string;
  readonly reqid: string;
  /** How often the source was told without success. */
  readonly tries: number;
  /** Milliseconds since the epoch, by the store's clock; the source is not told again before then. */
  readonly not_before: number;
  /** When the link stopped being needed, by the same clock. */
  readonly since: number;
}

export const PULL_ENDS: Bucket<PullEnd> = {
  name: 'imgapi_pull_ends',
  version: 1,
  index: { not_before: { type: 'number' } },
};

export const COPY_BUCKETS: readonly Bucket[] = [COPIES, TRANSFERS, PULL_ENDS];

/** @param ifEtag the etag that the document was read with; null if it must not exist yet */
export function putOrder(order: CopyOrder, ifEtag: string | null): Write {
  return { op: 'put', bucket: COPIES, key: order.uuid, value: { ...order, rev: order.rev + 1 }, ifEtag };
}

export function putTransfer(transfer: Transfer, ifEtag: string | null): Write {
  return { op: 'put', bucket: TRANSFERS, key: transfer.image, value: written(transfer), ifEtag };
}

/** The document as it must be stored: with the next `rev`, and with the index fields for claiming it. */
export function written({ lane: _, ready_at: __, ...transfer }: Transfer): Transfer {
  const { live, state, retry, lease, source } = transfer;
  const ready_at = state === 'queued' ? retry.not_before : state === 'running' ? (lease?.until ?? 0) : undefined;
  return {
    ...transfer,
    rev: transfer.rev + 1,
    ...(live && { lane: laneOf(claimantOf(transfer), source) }),
    ...(live && ready_at !== undefined && { ready_at }),
  };
}

/**
 * Whose turn and places it takes. All operators together count as one account. What only another datacenter wants counts
 * for that one: otherwise it could use up what the account has for itself.
 */
export function claimantOf({ account, ordered_by: datacenter }: Pick<Transfer, 'account' | 'ordered_by'>): string {
  return datacenter === undefined ? (account ?? 'operators') : `datacenter:${datacenter}`;
}

export function claimantOfOrder({ account, ordered_by: by }: CopyOrder): string {
  return claimantOf({ ...(account !== undefined && { account }), ...(by && { ordered_by: by.datacenter }) });
}

export function laneOf(claimant: string, source: string): string {
  return `${claimant} ${source}`;
}

export function claimantInLane(lane: string): string {
  return lane.slice(0, lane.indexOf(' '));
}

export function deleteTransfer(stored: Stored<Transfer>): Write {
  return { op: 'del', bucket: TRANSFERS, key: stored.key, ifEtag: stored.etag };
}
