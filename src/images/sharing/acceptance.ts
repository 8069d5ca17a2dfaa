/**
 * What an account wants to be shown of what others share with it. By default all, at once. An account may say that it wants
 * to be asked: what is shared with it by others than those that it trusts is then an *offer*, which is in none of its lists
 * until it has accepted it. An offer opens the image by its UUID all the same: a share does, whatever is listed.
 *
 * Whether it is an offer is worked out when a list is made, from these settings and from who has accepted the image, which its
 * record says. So no share has to know them, and whoever shares learns nothing of them.
 */
import type { Acceptance } from '#lib/api/acceptance.ts';
import type { Bucket, Query, WithStore } from '#lib/documents/store.ts';
import { retryOnConflict } from '#lib/documents/update.ts';
import { hasAccepted } from '#lib/manifest/acl.ts';
import type { ImageRecord, Share } from '#lib/manifest/record.ts';
import type { WithConfig } from '../../service/config/config.ts';
import type { Service } from '../../service/service.ts';
import { relationTo } from '../record/access.ts';
import { resolveEntries } from './shares.ts';

/** Stored under the account's UUID. */
export interface ShareSettingsDocument {
  readonly account: string;
  /** Absent: what the configuration says. */
  readonly acceptance?: Acceptance;
  /** As they were typed, with the accounts that logins meant then. */
  readonly trusted: readonly Share[];
  /** Counts the writes. */
  readonly rev: number;
}

export const SHARE_SETTINGS: Bucket<ShareSettingsDocument> = {
  name: 'imgapi_share_settings',
  version: 1,
  index: { account: { type: 'string' } },
};

type Keeper = WithStore & WithConfig;

/** Absent: everything that is shared is shown. */
export interface OfferPolicy {
  /** UUIDs of accounts whose shares are no offers. */
  readonly trusted: ReadonlySet<string>;
}

export async function offerPolicyOf(service: Keeper, account: string): Promise<OfferPolicy | undefined> {
  const [stored] = await service.store.find(SHARE_SETTINGS, ofAccount(account));
  return policyOf(service, stored?.value);
}

/** Whether it is in memory that the account is shown all at once. False says nothing. */
export function isShownAll(service: Keeper, account: string): boolean {
  const found = service.store.keptList(SHARE_SETTINGS, ofAccount(account))?.documents();
  return found !== undefined && policyOf(service, found[0]?.value) === undefined;
}

/** A list and no look-up by key: that there is nothing is remembered of lists alone. */
function ofAccount(account: string): Query {
  return { filter: { op: 'eq', field: 'account', value: account }, limit: 1 };
}

function policyOf({ config }: WithConfig, settings: ShareSettingsDocument | undefined): OfferPolicy | undefined {
  if ((settings?.acceptance ?? config.shares.acceptance) === 'automatic') return undefined;
  return { trusted: new Set((settings?.trusted ?? []).flatMap(({ account }) => account ?? [])) };
}

/** Whether the image is offered to the account and waits for its word. A public image needs nobody's. */
export function isOffer(record: ImageRecord, account: string, { trusted }: OfferPolicy): boolean {
  if (record.public || relationTo(record, { account }) !== 'sharee') return false;
  return !hasAccepted(record, account) && !(record.owner !== undefined && trusted.has(record.owner));
}

/** As they are shown. */
export interface ShareSettings {
  /** What holds for the account. */
  readonly acceptance: Acceptance;
  /** Whether it said so itself. */
  readonly isOwn: boolean;
  /** As typed. */
  readonly trusted: readonly string[];
}

export async function shareSettingsOf(service: Keeper, account: string): Promise<ShareSettings> {
  return shown(service, (await service.store.get(SHARE_SETTINGS, account))?.value);
}

export interface SettingsChange {
  /** null: what the configuration says. */
  readonly acceptance?: Acceptance | null;
  /** In place of all that there are: UUIDs and logins, which mean the account that has the login now. */
  readonly trusted?: readonly string[];
}

/** What is not named stays as it is. A login that nobody has is kept, and means nobody: the answer tells which logins there are to no one. */
export async function changeShareSettings(
  service: Service,
  account: string,
  { acceptance, trusted }: SettingsChange,
): Promise<ShareSettings> {
  return retryOnConflict(async () => {
    const stored = await service.store.get(SHARE_SETTINGS, account);
    const { acceptance: before, trusted: known = [], rev = 0 } = stored?.value ?? {};
    const chosen = acceptance === undefined ? before : (acceptance ?? undefined);
    const value: ShareSettingsDocument = {
      account,
      ...(chosen !== undefined && { acceptance: chosen }),
      trusted: trusted ? await trustedOf(service, known, trusted) : known,
      rev: rev + 1,
    };
    const ifEtag = stored?.etag ?? null;
    await service.store.batch([{ op: 'put', bucket: SHARE_SETTINGS, key: account, value, ifEtag }]);
    return shown(service, value);
  });
}

/** Whoever is trusted already stays the account that was meant. */
async function trustedOf(service: Service, known: readonly Share[], names: readonly string[]): Promise<Share[]> {
  const before = new Map(known.map((share) => [share.entry, share]));
  const asked = [...new Set(names)];
  const added = await resolveEntries(
    service,
    asked.filter((name) => !before.has(name)),
  );
  const now = new Map(added.map((share) => [share.entry, share]));
  return asked.flatMap((name) => before.get(name) ?? now.get(name) ?? []);
}

function shown({ config }: WithConfig, settings: ShareSettingsDocument | undefined): ShareSettings {
  const own = settings?.acceptance;
  return {
    acceptance: own ?? config.shares.acceptance,
    isOwn: own !== undefined,
    trusted: (settings?.trusted ?? []).map(({ entry }) => entry),
  };
}
