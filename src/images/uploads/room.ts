/**
 * Room that an upload holds in its owner's quota from its beginning to its end, also while nobody sends anything:
 * otherwise many that are never finished could take more space than the account has.
 */
import { newLease } from '#lib/documents/lease.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { Service } from '../../service/service.ts';
import { quotaExceeded, usedWith } from '../quotas/guard.ts';
import { limitsOf, putQuota, readQuota } from '../quotas/quota.ts';

/** In place of a process: what is held is held by none, so that none can die with it. */
const HOLDER = 'upload';
/** A request may go on for so long after the time for which an upload is kept. Seconds. */
const LONGEST_REQUEST = 7 * 86_400;

export interface HeldRoom {
  readonly owner: string | undefined;
  /** Who sends the bytes; absent: an operator, who is not refused. */
  readonly account: string | undefined;
  /** What comes on top of what the image has. */
  readonly bytes: number;
  /** What the names of all write sessions of the upload begin with. */
  readonly upload: string;
  /** The one that holds it from now on. */
  readonly session: string;
}

/** @throws 403 QuotaExceeded */
export async function holdRoom(service: Service, { owner, account, bytes, upload, session }: HeldRoom): Promise<void> {
  if (owner === undefined || account === undefined) return;
  await retryOnConflict(async () => {
    const stored = await readQuota(service, owner);
    const limit = limitsOf(service.config, owner, stored?.value).bytes;
    if (limit === undefined || bytes <= 0) return;
    const all = Object.entries(stored?.value.reserved ?? {});
    const others = Object.fromEntries(all.filter(([name]) => !name.startsWith(upload)));
    const without = stored && { ...stored, value: { ...stored.value, reserved: others } };
    const used = (await usedWith(service, { owner, stored: without, session: undefined })).bytes;
    if (used + bytes > limit) throw quotaExceeded({ owner, asker: account }, 'bytes', limit, used, bytes);
    const now = service.store.now();
    const lease = newLease(HOLDER, service.config.uploads.keepSeconds + LONGEST_REQUEST, now);
    const reserved = { ...others, [session]: { ...lease, bytes } };
    await service.store.batch([putQuota(stored, owner, (quota) => ({ ...quota, reserved }), now)]);
  });
}

/** What does not succeed ends with its lease. */
export async function releaseRoom(service: Service, owner: string | undefined, upload: string): Promise<void> {
  if (owner === undefined) return;
  await retryOnConflict(async () => {
    const stored = await readQuota(service, owner);
    const all = Object.entries(stored?.value.reserved ?? {});
    const others = all.filter(([session]) => !session.startsWith(upload));
    if (others.length === all.length) return;
    const reserved = Object.fromEntries(others);
    await service.store.batch([putQuota(stored, owner, (quota) => ({ ...quota, reserved }), service.store.now())], {
      frees: true,
    });
  }).catch((err: unknown) => service.log.warn({ err, owner }, 'could not give back the room of an upload'));
}
