/**
 * Keeps accounts within their quotas. Whatever makes or enlarges an image puts these writes into its batch, and counts
 * again when the batch conflicts: so two that run at the same time cannot both take the last place.
 *
 * Refused are accounts, in what they ask for themselves. What operators and the service do for an account counts, but
 * always goes on.
 */
import { ApiError } from '#lib/api/errors/api-error.ts';
import { EtagConflictError } from '#lib/documents/errors.ts';
import type { WithStore, Write } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { type Limits, limitsOf, putQuota, QUOTAS, readQuota, reservedBytes, type StoredQuota } from './quota.ts';
import { NOTHING, plus, type Usage, usageOf, usedBy } from './usage.ts';

type Keeper = WithStore & WithConfig;

/** An image that is about to be written. */
export interface Growth {
  /** Absent: it is new. */
  readonly before?: ImageRecord | undefined;
  readonly after: ImageRecord;
}

export interface Charge {
  /** Who asks for it. Absent: an operator, or the service itself. */
  readonly account: string | undefined;
  /** The write session whose bytes the images have from now on: what it has reserved is theirs. */
  readonly session?: string | undefined;
}

/** What belongs in the batch that writes these images. @throws 403 QuotaExceeded */
export async function quotaWrites(
  service: Keeper,
  growths: readonly Growth[],
  { account, session }: Charge,
): Promise<Write[]> {
  const writes: Write[] = [];
  for (const [owner, asked] of additions(growths)) {
    const isMore = asked.images > 0 || asked.bytes > 0;
    if (!isMore && session === undefined) continue;
    // Before the images are counted: what is written after that conflicts.
    const stored = await readQuota(service, owner);
    const limits = limitsOf(service.config, owner, stored?.value);
    const { [session ?? '']: held, ...reserved } = stored?.value.reserved ?? {};
    if (!held && !(isMore && isLimited(limits))) continue;
    if (account !== undefined) await assertRoom(service, { owner, asker: account, stored, limits, asked, session });
    writes.push(putQuota(stored, owner, (quota) => ({ ...quota, reserved }), service.store.now()));
  }
  return writes;
}

/** The same as a question, before the work that may be in vain begins. @throws 403 QuotaExceeded */
export async function assertQuota(service: Keeper, growths: readonly Growth[], account: string): Promise<void> {
  await quotaWrites(service, growths, { account });
}

/** For an image of which not much is known yet. @throws 403 QuotaExceeded if the account has no room for so much */
export async function assertRoomFor(service: Keeper, account: string, asked: Usage): Promise<void> {
  const stored = await readQuota(service, account);
  const limits = limitsOf(service.config, account, stored?.value);
  await assertRoom(service, { owner: account, asker: account, stored, limits, asked, session: undefined });
}

/**
 * Makes a batch with these writes, and counts again when only the count was overtaken: what else the batch rests on was
 * costly to find out. @throws 403 QuotaExceeded, and what `write` throws
 */
export function writingWithin(
  service: Keeper,
  growths: readonly Growth[],
  charge: Charge,
  write: (kept: readonly Write[]) => Promise<void>,
): Promise<void> {
  const isOvertaken = (error: unknown) => error instanceof EtagConflictError && error.bucket === QUOTAS.name;
  return retryOnConflict(async () => write(await quotaWrites(service, growths, charge)), { isConflict: isOvertaken });
}

function additions(growths: readonly Growth[]): Map<string, Usage> {
  const byOwner = new Map<string, Usage>();
  for (const { before, after } of growths) {
    const { owner } = after;
    if (owner === undefined) continue;
    const had = before && before.owner === owner ? usageOf(before) : NOTHING;
    const has = usageOf(after);
    const more = { images: has.images - had.images, bytes: has.bytes - had.bytes };
    byOwner.set(owner, plus(byOwner.get(owner) ?? NOTHING, more));
  }
  return byOwner;
}

function isLimited({ images, bytes }: Limits): boolean {
  return images !== undefined || bytes !== undefined;
}

export interface Asked {
  /** Whose quota it is. */
  readonly owner: string;
  /** The account that asks for it. */
  readonly asker: string;
  readonly stored: StoredQuota;
  readonly limits: Limits;
  readonly asked: Usage;
  readonly session: string | undefined;
}

/** @throws 403 QuotaExceeded */
async function assertRoom(service: Keeper, asking: Asked): Promise<void> {
  const { limits, asked } = asking;
  const isCounted =
    (limits.images !== undefined && asked.images > 0) || (limits.bytes !== undefined && asked.bytes > 0);
  if (!isCounted) return;
  const used = await usedWith(service, asking);
  for (const what of ['images', 'bytes'] as const) {
    const limit = limits[what];
    if (limit === undefined || asked[what] <= 0 || used[what] + asked[what] <= limit) continue;
    throw quotaExceeded(asking, what, limit, used[what], asked[what]);
  }
}

/** With uploads under way, but for that of `session`. */
export async function usedWith(
  service: WithStore,
  { owner, stored, session }: Pick<Asked, 'owner' | 'stored' | 'session'>,
): Promise<Usage> {
  const used = await usedBy(service, owner);
  return plus(used, { images: 0, bytes: reservedBytes(stored, service.store.now(), session) });
}

/** How much another account has is not for whoever gives it an image. */
export function quotaExceeded(
  { owner, asker }: Pick<Asked, 'owner' | 'asker'>,
  what: 'images' | 'bytes',
  limit: number,
  used: number,
  asked: number,
): ApiError {
  if (owner !== asker) {
    return new ApiError('QuotaExceeded', `account "${owner}" has no room for ${asked} more ${what}`);
  }
  return new ApiError(
    'QuotaExceeded',
    `account "${owner}" may keep ${limit} ${what} here; it has ${used}, and this needs ${asked} more`,
  );
}
