/**
 * One order to many datacenters: a document at the source, which says for each of them how far it is. Everything that is
 * done follows from the document, so that any process can go on after another.
 */
import type { FanOutState, TargetState } from '#lib/api/schemas/fan-out.ts';
import type { Lease } from '#lib/documents/lease.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';

export interface Target {
  readonly datacenter: string;
  readonly state: TargetState;
  /** The order there, once it was taken. */
  readonly order?: string;
  readonly bytes_done: number;
  readonly bytes_total: number;
  readonly rate: number;
  /** Calls in a row that failed, or whose end nobody knows. To place an order is counted before the call: it may be there. */
  readonly tries: number;
  /** Milliseconds since the epoch, by the store's clock: not asked again before. */
  readonly not_before: number;
  /** When it last answered, or was added. */
  readonly heard_at: number;
  readonly error?: { readonly code: string; readonly message: string };
  /**
   * It has failed, but its order may be there, and keep an image hidden: until then, in milliseconds since the epoch, it is
   * asked to cancel that.
   */
  readonly left_until?: number;
}

export interface FanOutRecord {
  readonly uuid: string;
  readonly image: string;
  /** The owner of the image, for whom all of it is done. */
  readonly account: string;
  readonly state: FanOutState;
  /** Whether something is left to do: `state` is not final, or something that was given up is still to be canceled. */
  readonly live: boolean;
  readonly together: boolean;
  /** With `together`: all had verified it, so it is shown. Never taken back. */
  readonly released?: true;
  readonly canceling?: true;
  readonly targets: readonly Target[];
  /** ISO dates. */
  readonly created_at: string;
  /** When the copies are to have ended. */
  readonly finish_by?: string;
  /** Milliseconds since the epoch: what is not done by then is given up. */
  readonly gives_up_at: number;
  readonly finished_at?: string;
  /** The process that works on it. */
  readonly lease?: Lease;
  readonly rev: number;
}

const string = { type: 'string' } as const;

export const FAN_OUTS: Bucket<FanOutRecord> = {
  name: 'imgapi_fan_outs',
  version: 1,
  index: {
    image: string,
    account: string,
    live: { type: 'boolean' },
    created_at: string,
    finished_at: string,
  },
};

export function isTargetFinal({ state }: Target): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'canceled';
}

/** As it must be stored. @param ifEtag null if it must not exist yet */
export function putFanOut(fanOut: FanOutRecord, ifEtag: string | null): Write {
  return { op: 'put', bucket: FAN_OUTS, key: fanOut.uuid, value: written(fanOut), ifEtag };
}

export function written(fanOut: FanOutRecord): FanOutRecord {
  return { ...fanOut, rev: fanOut.rev + 1 };
}
