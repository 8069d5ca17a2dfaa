/**
 * Sharing by UUID and by login.
 *
 * A login opens the image only to the account that had it when the share was written: it is looked up once, and the
 * grant is pinned to that account's UUID. A login that nobody has is stored and shown all the same, so that the answer
 * does not reveal which logins exist. While the directory's replicas may lag, {@link bindLateShares} looks it up again,
 * and binds it only to an account that existed, unchanged, before the share.
 */

import { type Account, DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { ApiError, invalidParameter } from '#lib/api/errors/api-error.ts';
import type { ImgapiVersion } from '#lib/api/imgapi/form.ts';
import type { Bucket, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import {
  addEntries,
  bindLogin,
  entriesOf,
  entriesReaching,
  exceedsAclLimit,
  leave,
  newLogins,
  removeEntries,
  replaceEntries,
  replaceUuidEntries,
} from '#lib/manifest/acl.ts';
import { aclEntriesProblem, MAX_ACL_ENTRIES, splitEntries } from '#lib/manifest/acl-entry.ts';
import type { ImageRecord, Share } from '#lib/manifest/record.ts';
import { lasts } from '#lib/runtime/clock.ts';
import { isUuid } from '#lib/text/uuid.ts';
import type { Service } from '../../service/service.ts';
import { type ChangeRequest, changeImage, changeRecord, type Passed } from '../record/change.ts';
import { directoryUnavailable } from '../record/directory-unavailable.ts';
import { isServed, type StoredImage } from '../record/load.ts';

/** A record with its new ACL, and what must be written with it. */
export interface Shared {
  readonly record: ImageRecord;
  readonly also: readonly Write[];
}

/** Images, by UUID, that are shared with a login that nobody has yet; kept until the directory's lag has passed. */
interface PendingShares {
  /** Milliseconds since the epoch. */
  readonly until: number;
}

export const PENDING_SHARES: Bucket<PendingShares> = {
  name: 'imgapi_pending_shares',
  version: 1,
  index: { until: { type: 'number' } },
};

/** Whether a request of this API version may name logins here. */
function takesLogins(service: Service, version: ImgapiVersion): boolean {
  return version === 3 && service.accounts !== undefined;
}

/** @throws 422 InvalidParameter acl */
export function assertEntries(service: Service, entries: unknown, version: ImgapiVersion): asserts entries is string[] {
  const problem = aclEntriesProblem(entries, takesLogins(service, version));
  if (problem) throw invalidParameter('acl', `acl ${problem}`);
}

/** AddImageAcl: an entry that is already there keeps its place; a login is looked up again. */
export async function addAcl(service: Service, request: ChangeRequest, names: readonly string[]): Promise<StoredImage> {
  const added = await resolveEntries(service, names);
  return changeImage(service, request, (record) => withPending(service, record, addEntries(record, added)));
}

/**
 * RemoveImageAcl: removes exactly these entries; an absent one is no error. A sharee may end its own access this way,
 * until the owner adds it again; the result is then undefined.
 * @throws 422 NotImageOwner when a sharee names others
 */
export async function removeAcl(
  service: Service,
  request: ChangeRequest,
  names: readonly string[],
): Promise<StoredImage | undefined> {
  const { account } = request.viewer;
  let hasLeft = false;
  const remove = (record: ImageRecord, { relation }: Pick<Passed, 'relation'>): ImageRecord => {
    hasLeft = relation === 'sharee';
    return hasLeft && account !== undefined ? withoutSharee(record, account, names) : removeEntries(record, names);
  };
  const changed = await changeImage(service, request, remove, { allowSharees: true });
  return hasLeft ? undefined : changed;
}

/** A sharee may remove only itself, by any entry through which it is shown the image. */
function withoutSharee(record: ImageRecord, account: string, names: readonly string[]): ImageRecord {
  const own = new Set([account, ...entriesReaching(record, account)]);
  if (names.length > 0 && names.every((entry) => own.has(entry))) return leave(record, account);
  const what = `account "${account}" does not own image "${record.uuid}"; it may remove only itself`;
  throw new ApiError('NotImageOwner', what);
}

/**
 * The record with this ACL, as a client of `version` writes it: before version 3 it replaces the UUID entries only.
 * Existing entries keep their grants; new logins are looked up. @throws 503 when the directory is needed and unavailable
 */
export async function writeAcl(
  service: Service,
  record: ImageRecord,
  names: readonly string[],
  version: ImgapiVersion,
): Promise<Shared> {
  if (version < 3) return withPending(service, record, replaceUuidEntries(record, names));
  const resolved = await resolveEntries(service, newLogins(record, names));
  return withPending(service, record, replaceEntries(record, names, resolved));
}

/** The task: looks up pending logins again until the lag has passed. Returns how many shares were bound. */
export async function bindLateShares(service: Service): Promise<number> {
  let bound = 0;
  for await (const pending of service.store.scan(PENDING_SHARES, {})) {
    for (const { key: uuid, value, etag } of pending) {
      bound += await bindShares(service, uuid);
      if (lasts(value.until, lagOf(service), service.store.now())) continue;
      // Another share may have renewed it meanwhile.
      await unlessChanged(service.store.batch([{ op: 'del', bucket: PENDING_SHARES, key: uuid, ifEtag: etag }]));
    }
  }
  return bound;
}

async function bindShares(service: Service, uuid: string): Promise<number> {
  let bound = 0;
  await changeRecord(service, uuid, async (record, stored) => {
    if (!isServed(service, stored)) return undefined;
    const waiting = entriesOf(record).filter((share) => isPending(service, share));
    const holders = await holdersOf(
      service,
      waiting.map(({ entry }) => entry),
    );
    let changed = record;
    bound = 0;
    for (const { entry, shared_at } of waiting) {
      const holder = holders.get(entry);
      if (!holder || !wasThereBefore(holder, shared_at)) continue;
      changed = bindLogin(changed, entry, holder.uuid) ?? changed;
      bound++;
    }
    return bound > 0 ? changed : undefined;
  }).catch((error: unknown) => {
    // Deleted meanwhile: nothing is left to bind.
    if (!(error instanceof ApiError && error.code === 'ResourceNotFound')) throw error;
  });
  return bound;
}

/** With the accounts that the logins mean now, if any. @throws 503 when the directory is needed and unavailable */
export async function resolveEntries(service: Service, names: readonly string[]): Promise<Share[]> {
  const holders = await holdersOf(service, splitEntries(names).logins);
  const shared_at = new Date(service.store.now()).toISOString();
  return names.map((entry) => {
    const account = holders.get(entry)?.uuid;
    return { entry, shared_at, ...(account !== undefined && { account }) };
  });
}

function withPending(service: Service, before: ImageRecord, record: ImageRecord): Shared {
  if (exceedsAclLimit(before, record)) {
    throw invalidParameter('acl', `acl must have at most ${MAX_ACL_ENTRIES} entries`);
  }
  return { record, also: pendingWrites(service, record.uuid, entriesOf(record)) };
}

/** Milliseconds by which a replica of the directory may lag. */
function lagOf({ config }: Service): number {
  return config.accounts.maxLagSeconds * 1000;
}

function isPending(service: Service, share: Share): boolean {
  if (share.account !== undefined || share.shared_at === undefined || isUuid(share.entry)) return false;
  return lasts(Date.parse(share.shared_at) + lagOf(service), lagOf(service), service.store.now());
}

/** A share cannot mean an account that was created or renamed after it. */
function wasThereBefore({ createdAt, updatedAt }: Account, sharedAt: string | undefined): boolean {
  if (sharedAt === undefined) return false;
  const time = Date.parse(sharedAt);
  return (createdAt?.getTime() ?? 0) <= time && (updatedAt?.getTime() ?? 0) <= time;
}

/** For an image that appears under this UUID with the shares that it had under another one. */
export function pendingSharesOf(service: Service, record: ImageRecord): Write[] {
  return pendingWrites(service, record.uuid, entriesOf(record));
}

function pendingWrites(service: Service, uuid: string, shares: readonly Share[]): Write[] {
  if (!shares.some((share) => isPending(service, share))) return [];
  const until = service.store.now() + lagOf(service);
  return [{ op: 'put', bucket: PENDING_SHARES, key: uuid, value: { until } }];
}

async function holdersOf(service: Service, logins: readonly string[]): Promise<Map<string, Account>> {
  const { accounts } = service;
  if (logins.length === 0 || !accounts) return new Map();
  try {
    const found = await Promise.all(logins.map(async (login) => [login, await accounts.byLogin(login)] as const));
    return new Map(found.filter((pair): pair is [string, Account] => pair[1] !== undefined));
  } catch (cause) {
    if (!(cause instanceof DirectoryUnavailableError)) throw cause;
    throw directoryUnavailable('the account directory cannot be reached, so logins cannot be added now', cause);
  }
}
