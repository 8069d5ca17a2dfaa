/** Quotas as they are shown, and the numbers of their own that operators give accounts. */
import type { WithStore } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import type { WithConfig } from '../../service/config/config.ts';
import { type Limits, limitsOf, putQuota, QUOTAS, type QuotaDocument, readQuota, reservedBytes } from './quota.ts';
import { type Usage, usedBy } from './usage.ts';

type Keeper = WithStore & WithConfig;

/** null: no limit, whatever the default is. */
export type OwnLimits = Pick<QuotaDocument, 'images' | 'bytes'>;

export interface AccountQuota {
  readonly account: string;
  readonly limits: Limits;
  /** Which of them are the account's own, and not the default. */
  readonly own: OwnLimits;
  readonly used: Usage;
  /** Bytes of uploads that are under way. */
  readonly reserved: number;
}

export async function quotaOf(service: Keeper, account: string): Promise<AccountQuota> {
  const stored = await readQuota(service, account);
  const { images, bytes } = stored?.value ?? {};
  return {
    account,
    limits: limitsOf(service.config, account, stored?.value),
    own: { ...(images !== undefined && { images }), ...(bytes !== undefined && { bytes }) },
    used: await usedBy(service, account),
    reserved: reservedBytes(stored, service.store.now()),
  };
}

/** Those of all accounts that have numbers of their own. */
export async function* ownQuotas(service: Keeper): AsyncIterable<AccountQuota> {
  const filter = { op: 'eq', field: 'own', value: true } as const;
  for await (const found of service.store.scan(QUOTAS, { filter })) {
    for (const { key } of found) yield await quotaOf(service, key);
  }
}

/** What is not named stays as it is. Holds for what comes from now on; nothing that is there goes. */
export function setLimits(service: Keeper, account: string, limits: OwnLimits): Promise<AccountQuota> {
  return change(service, account, (before) => ({ ...before, ...limits, own: true }));
}

/** The defaults of the configuration hold again. */
export function unsetLimits(service: Keeper, account: string): Promise<AccountQuota> {
  return change(service, account, ({ images: _, bytes: __, ...before }) => ({ ...before, own: false }));
}

async function change(
  service: Keeper,
  account: string,
  edit: (before: QuotaDocument) => QuotaDocument,
): Promise<AccountQuota> {
  await retryOnConflict(async () => {
    const stored = await readQuota(service, account);
    await service.store.batch([putQuota(stored, account, edit, service.store.now())]);
  });
  return quotaOf(service, account);
}
