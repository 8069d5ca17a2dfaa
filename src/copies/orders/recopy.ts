/**
 * Copying an image that is already here. No bytes move; the descriptive fields and the shares are updated from the
 * source, as the table in `lib/manifest/travel.ts` says. Owner, public, disabled and channels never change: this
 * datacenter decides those itself.
 */

import { isDeepStrictEqual } from 'node:util';
import { validationFailed } from '#lib/api/errors/api-error.ts';
import type { FieldChange } from '#lib/api/schemas/copy.ts';
import type { Write } from '#lib/documents/store.ts';
import {
  aclView,
  entriesOf,
  exceedsAclLimit,
  recordWithEntries,
  replaceUuidEntries,
  sameEntries,
} from '#lib/manifest/acl.ts';
import { MAX_ACL_ENTRIES } from '#lib/manifest/acl-entry.ts';
import type { ManifestField } from '#lib/manifest/fields.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { refreshedRecord, travellingFields } from '#lib/manifest/travel.ts';
import type { ImageSource } from '../../datacenters/sources/source.ts';
import { assertStaysServed, changeRecord } from '../../images/record/change.ts';
import { isServed } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { type CopyOrder, putOrder } from '../documents/model.ts';
import type { ChainRequest } from './chain.ts';
import { decide, hashOf, refusal } from './decision.ts';
import { withMarksOf } from './marks.ts';
import { asMember, newOrder } from './new-order.ts';
import { orderEvents } from './order-events.ts';
import type { Incoming } from './placeholder.ts';

/** The manifest fields whose changes are reported. The ACL is compared separately. */
const COMPARED = travellingFields('recopy').filter((field) => field !== 'acl' && field !== 'shares') as ManifestField[];

/**
 * Returns a finished order that lists what changed. With `dryRun` nothing is written; if nothing changed, only the
 * order is. @throws 404, 409, 422 if the image could not be kept here like that
 */
export async function recopy(
  service: Service,
  request: ChainRequest,
  source: ImageSource,
  incoming: Incoming,
  dryRun: boolean,
): Promise<CopyOrder> {
  let order: CopyOrder | undefined;
  let isUnchanged = false;
  // Who may do this is decided here, by the table, because its refusals differ from those of other changes.
  await changeRecord(service, incoming.uuid, (record, stored) => {
    if (!isServed(service, stored)) throw refusal('not-found', incoming.uuid);
    const sameHash = hashOf(record) === incoming.file.sha1;
    const outcome = decide(record, request.account, sameHash ? 'copy' : 'copy-other-hash');
    if (outcome !== 'recopy') throw refusal('exists', incoming.uuid);
    const after = request.terms
      ? asOrderedElsewhere(record, incoming.record, source)
      : refreshed(record, incoming.record, source);
    order = recopyOrder(service, request, incoming, changesBetween(record, after));
    isUnchanged = isDeepStrictEqual({ ...record }, after);
    if (dryRun || isUnchanged) return undefined;
    assertStaysServed(service, after);
    return { record: after, also: finished(service, order, record) };
  });
  if (!order) throw refusal('not-found', incoming.uuid);
  if (isUnchanged && !dryRun) await service.store.batch(finished(service, order, incoming.record));
  return order;
}

/** It is over as it begins. */
function finished(service: Service, order: CopyOrder, { owner }: ImageRecord): Write[] {
  return [putOrder(order, null), ...orderEvents(service, 'copy-done', order, () => owner)];
}

/**
 * Another datacenter may bring images here, but not change one that did not come from it, nor open one that is here: it may
 * have been given away, or build on others that are of here.
 */
function asOrderedElsewhere(record: ImageRecord, there: ImageRecord, source: ImageSource): ImageRecord {
  const { copied_from: from, owner } = record;
  // What was given away here follows what the former owner has there no more.
  const isGiven = from?.owner !== undefined && from.owner !== owner;
  if (from?.datacenter !== source.name || isGiven) return { ...record };
  return withMarksOf(refreshedRecord(record, there, 'recopy'), there, source.name);
}

function refreshed(record: ImageRecord, there: ImageRecord, source: ImageSource): ImageRecord {
  const marked = withMarksOf(refreshedRecord(record, there, 'recopy'), there, source.name);
  // Only a link shows the whole ACL. Other sources show no logins, so the logins that are here stay.
  const shared = source.kind === 'link' ? withEntriesOf(marked, there) : replaceUuidEntries(marked, there.acl ?? []);
  if (sameEntries(marked, shared)) return marked;
  if (!exceedsAclLimit(marked, shared)) return shared;
  const message = `together with the logins already here, image "${record.uuid}" would have more than ${MAX_ACL_ENTRIES} entries`;
  throw validationFailed('acl', message);
}

/** An account that left its share, here or there, stays out until the owner adds it again, with a new date. */
function withEntriesOf(record: ImageRecord, there: ImageRecord): ImageRecord {
  const dates = new Map(entriesOf(record).map(({ entry, shared_at }) => [entry, shared_at]));
  const entries = entriesOf(there);
  const again = new Set(
    entries.filter(({ entry, shared_at }) => dates.get(entry) !== shared_at).map(({ account }) => account),
  );
  const left = [...(record.left ?? []).filter((account) => !again.has(account)), ...(there.left ?? [])];
  const left_uuids = [...new Set([...(record.left_uuids ?? []), ...(there.left_uuids ?? [])])];
  return recordWithEntries(left_uuids.length > 0 ? { ...record, left_uuids } : record, entries, left);
}

function changesBetween(before: ImageRecord, after: ImageRecord): FieldChange[] {
  const fields = COMPARED.map((field) => ({ field, from: shown(before, field), to: shown(after, field) }));
  const acl = { field: 'acl', from: aclView(before, 3), to: aclView(after, 3) };
  return [...fields, acl].filter(({ from, to }) => !isDeepStrictEqual(from, to));
}

/** A record keeps the manifest's tags in `tagsObj`; its own `tags` are search strings. */
function shown(record: ImageRecord, field: ManifestField): unknown {
  return record[(field === 'tags' ? 'tagsObj' : field) as keyof ImageRecord];
}

function recopyOrder(
  service: Service,
  request: ChainRequest,
  incoming: Incoming,
  changes: readonly FieldChange[],
): CopyOrder {
  const result = { state: 'succeeded', bytes: incoming.file.size, attempt: 0 } as const;
  const order = newOrder(service, request, [{ ...asMember(incoming), result }]);
  return { ...order, state: 'succeeded', live: false, finished_at: order.created_at, changes };
}
