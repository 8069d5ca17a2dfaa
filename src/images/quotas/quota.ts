/**
 * How much an account may keep here. Its document is also what two writers meet at: whoever adds images or bytes of the
 * account writes it in the same batch, so that of two that counted at the same moment one counts again.
 */
import { isHeld, type Lease } from '#lib/documents/lease.ts';
import type { Bucket, Stored, WithStore, Write } from '#lib/documents/store.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import type { Config } from '../../service/config/config.ts';

/** Absent: as many as there is room for. */
export interface Limits {
  readonly images?: number;
  readonly bytes?: number;
}

/** Bytes of an upload that have no record yet. */
export interface Reserved extends Lease {
  readonly bytes: number;
}

/** Stored under the account's UUID. */
export interface QuotaDocument {
  readonly account: string;
  /** The account's own number; null: no limit; absent: that of the configuration. */
  readonly images?: number | null;
  readonly bytes?: number | null;
  /** Whether it has numbers of its own. */
  readonly own: boolean;
  /** By the name of the write session. */
  readonly reserved: Readonly<Record<string, Reserved>>;
  /** Counts the writes. */
  readonly rev: number;
}

export const QUOTAS: Bucket<QuotaDocument> = {
  name: 'imgapi_quotas',
  version: 1,
  index: { own: { type: 'boolean' } },
};

export type StoredQuota = Stored<QuotaDocument> | undefined;

export function readQuota({ store }: WithStore, account: string): Promise<StoredQuota> {
  return store.get(QUOTAS, account);
}

/** The defaults are for customers: what operators keep for all has only limits that it was given. */
export function limitsOf(config: Config, account: string, own: QuotaDocument | undefined): Limits {
  const isOperators = account === config.adminUuid || account === NIL_UUID;
  const defaults: Limits = isOperators ? {} : config.quotas;
  const images = own?.images === undefined ? defaults.images : own.images;
  const bytes = own?.bytes === undefined ? defaults.bytes : own.bytes;
  return { ...(typeof images === 'number' && { images }), ...(typeof bytes === 'number' && { bytes }) };
}

/** Bytes of uploads that are still under way, without that of `but`. */
export function reservedBytes(stored: StoredQuota, now: number, but?: string): number {
  return Object.entries(stored?.value.reserved ?? {}).reduce(
    (total, [session, one]) => (session !== but && isHeld(one, now) ? total + one.bytes : total),
    0,
  );
}

/** The document, changed. What processes that died have reserved goes with every write. */
export function putQuota(
  stored: StoredQuota,
  account: string,
  change: (before: QuotaDocument) => QuotaDocument,
  now: number,
): Write {
  const before = stored?.value ?? { account, own: false, reserved: {}, rev: 0 };
  const changed = change(before);
  const held = Object.entries(changed.reserved).filter(([, one]) => isHeld(one, now));
  const value = { ...changed, reserved: Object.fromEntries(held), rev: before.rev + 1 };
  return { op: 'put', bucket: QUOTAS, key: account, value, ifEtag: stored?.etag ?? null };
}
