/**
 * Room for an upload, taken before its bytes come: an upload that does not fit is refused then, and not when all has
 * been sent. A reservation has a lease. That of a process that died counts no longer; and one that slept past its own is
 * counted again when its file gets its record, so that nothing rests on it but whose bytes are sent in vain.
 */
import type { Readable } from 'node:stream';
import type Logger from 'bunyan';
import { newLease } from '#lib/documents/lease.ts';
import type { WithStore, Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { startInterval } from '#lib/runtime/timers.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { quotaExceeded, usedWith } from './guard.ts';
import { limitsOf, putQuota, type QuotaDocument, type Reserved, readQuota, type StoredQuota } from './quota.ts';
import { bytesOfFiles } from './usage.ts';

interface Reserving extends WithStore, WithConfig {
  readonly worker: string;
  readonly log: Logger;
}

export interface Upload {
  /** The write session. */
  readonly session: string;
  /** Whose bytes they will be. */
  readonly owner: string | undefined;
  /** Who sends them; absent: an operator, who is not refused. */
  readonly account: string | undefined;
  /** What is there now, and goes when the new bytes have come. */
  readonly replaced: number;
  /** Absent: nobody knows. */
  readonly announced: number | undefined;
}

const LEASE_SECONDS = 120;
const RENEWALS = 4;
/** How much is reserved at once for bytes of which nobody knows how many come. */
const STEP = 64 * 1024 ** 2;

/** The bytes that are there now: a file of the same name goes when the new one has come. */
export function replacedBytes({ files, icon }: ImageRecord, kind: 'file' | 'icon'): number {
  return kind === 'icon' ? (icon?.size ?? 0) : bytesOfFiles(files);
}

/** Passes a stream on, as far as there is room for it. */
type Metered = (source: Readable) => AsyncIterable<Uint8Array>;

const AS_IT_IS: Metered = (source) => source;

/** Calls `use` once there is room for what was announced. @throws 403 QuotaExceeded */
export async function reserving<T>(
  service: Reserving,
  { session, owner, account, replaced, announced }: Upload,
  use: (metered: Metered) => Promise<T>,
): Promise<T> {
  if (owner === undefined || account === undefined) return use(AS_IT_IS);
  const room = new Room(service, { session, owner, account, isOpen: announced === undefined });
  await room.cover((announced ?? 1) - replaced);
  if (!room.isLimited) return use(AS_IT_IS);
  const timer = startInterval(() => room.renew(), (LEASE_SECONDS * 1000) / RENEWALS);
  try {
    return await use(announced === undefined ? (source) => metered(source, room, replaced) : AS_IT_IS);
  } finally {
    timer.stop();
    await room.release();
  }
}

async function* metered(source: Readable, room: Room, replaced: number): AsyncIterable<Uint8Array> {
  let size = 0;
  // A refusal still has to be answered on the connection that the bytes come from.
  for await (const chunk of source.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size - replaced > room.bytes) await room.cover(size - replaced);
    yield chunk;
  }
}

function put({ store }: WithStore, owner: string, stored: StoredQuota, reserved: QuotaDocument['reserved']): Write {
  return putQuota(stored, owner, (quota) => ({ ...quota, reserved }), store.now());
}

interface Holder {
  readonly session: string;
  readonly owner: string;
  readonly account: string;
  /** More may come than is known of now. */
  readonly isOpen: boolean;
}

class Room {
  readonly #service: Reserving;
  readonly #holder: Holder;
  #bytes = 0;
  #isLimited = false;
  #isOver = false;

  constructor(service: Reserving, holder: Holder) {
    this.#service = service;
    this.#holder = holder;
  }

  /** How much is reserved. */
  get bytes(): number {
    return this.#bytes;
  }

  get isLimited(): boolean {
    return this.#isLimited;
  }

  /** Reserves so many bytes in all. @throws 403 QuotaExceeded */
  async cover(bytes: number): Promise<void> {
    // What still comes after a stalled upload was given up must not reserve anew: nobody would give that back.
    if (this.#isOver) throw new Error('the upload that this was reserved for is over');
    const service = this.#service;
    const { session, owner, account, isOpen } = this.#holder;
    await retryOnConflict(async () => {
      const stored = await readQuota(service, owner);
      const limit = limitsOf(service.config, owner, stored?.value).bytes;
      this.#isLimited = limit !== undefined;
      this.#bytes = limit === undefined ? Number.POSITIVE_INFINITY : Math.max(0, bytes);
      if (limit === undefined || bytes <= 0) return;
      const used = (await usedWith(service, { owner, stored, session })).bytes;
      if (used + bytes > limit) throw quotaExceeded({ owner, asker: account }, 'bytes', limit, used, bytes);
      if (isOpen) this.#bytes = Math.min(bytes + STEP, limit - used);
      const lease = newLease(service.worker, LEASE_SECONDS, service.store.now());
      const reserved = { ...stored?.value.reserved, [session]: { ...lease, bytes: this.#bytes } };
      await service.store.batch([put(service, owner, stored, reserved)]);
    });
  }

  renew(): void {
    const { session } = this.#holder;
    this.#change((own) => ({
      ...own,
      ...newLease(this.#service.worker, LEASE_SECONDS, this.#service.store.now()),
    })).catch((err: unknown) =>
      this.#service.log.warn({ err, session }, 'could not renew what an upload has reserved'),
    );
  }

  async release(): Promise<void> {
    this.#isOver = true;
    const { session } = this.#holder;
    await this.#change(() => undefined).catch((err: unknown) =>
      this.#service.log.warn({ err, session }, 'could not give back what an upload has reserved; it will expire'),
    );
  }

  /** Does nothing once the image has the bytes, or another process has counted the reservation out. */
  async #change(change: (own: Reserved) => Reserved | undefined): Promise<void> {
    const { store } = this.#service;
    const { session, owner } = this.#holder;
    await retryOnConflict(async () => {
      const stored = await readQuota(this.#service, owner);
      const { [session]: own, ...others } = stored?.value.reserved ?? {};
      if (!own) return;
      const changed = change(own);
      const reserved = { ...others, ...(changed && { [session]: changed }) };
      await store.batch([put(this.#service, owner, stored, reserved)], { frees: changed === undefined });
    });
  }
}
