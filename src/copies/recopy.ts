/**
 * Copying an image that is here already: no bytes move, the descriptive fields and the shares become what they are at
 * the source. Never owner, public, disabled or channels: those are this datacenter's own.
 */
import { isDeepStrictEqual } from 'node:util';
import { aclView, recordWithEntries, replaceUuidEntries } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ImageSource } from '../datacenters/source.ts';
import { changeImage } from '../images/change.ts';
import type { Service } from '../service.ts';
import type { ChainRequest } from './chain.ts';
import { decide, hashOf, refusal } from './decision.ts';
import { type CopyOrder, type FieldChange, putOrder } from './model.ts';
import { newOrder } from './new-order.ts';
import type { Incoming } from './placeholder.ts';

const REFRESHED = ['name', 'version', 'description', 'homepage', 'eula', 'requirements', 'tags', 'tagsObj'] as const;

/** As the manifest calls them: the search strings of the tags are no field of their own there. */
const SHOWN: Readonly<Partial<Record<(typeof REFRESHED)[number], string>>> = { tagsObj: 'tags' };

/** Answers a finished order that lists what changed; with `dryRun` nothing is written. @throws 404, 409 */
export async function recopy(
  service: Service,
  request: ChainRequest,
  source: ImageSource,
  incoming: Incoming,
  dryRun: boolean,
): Promise<CopyOrder> {
  let order: CopyOrder | undefined;
  await changeImage(service, incoming.uuid, (record) => {
    const sameHash = hashOf(record) === incoming.file.sha1;
    const outcome = decide(record, request.account, sameHash ? 'copy' : 'copy-other-hash');
    if (outcome !== 'recopy') throw refusal('exists', incoming.uuid);
    const refreshed = refreshedRecord(record, incoming.record, source);
    order = recopyOrder(service, request, incoming, changesBetween(record, refreshed));
    return dryRun ? undefined : { record: refreshed, also: [putOrder(order, null)] };
  });
  if (!order) throw refusal('not-found', incoming.uuid);
  return order;
}

function refreshedRecord(record: ImageRecord, there: ImageRecord, source: ImageSource): ImageRecord {
  const kept = Object.entries(record).filter(([field]) => !(REFRESHED as readonly string[]).includes(field));
  const fields = REFRESHED.flatMap((field) => (there[field] === undefined ? [] : [[field, there[field]] as const]));
  const refreshed = Object.fromEntries([...kept, ...fields]) as unknown as ImageRecord;
  // Only a link shows the whole list; others know of no logins, so those that are here stay.
  if (source.kind !== 'link') return replaceUuidEntries(refreshed, there.acl ?? []);
  return recordWithEntries(refreshed, there.shares ?? (there.acl ?? []).map((entry) => ({ entry })));
}

function changesBetween(before: ImageRecord, after: ImageRecord): FieldChange[] {
  const fields = REFRESHED.filter((field) => field !== 'tags').map((field) => ({
    field: SHOWN[field] ?? field,
    from: before[field],
    to: after[field],
  }));
  const acl = { field: 'acl', from: aclView(before, 3), to: aclView(after, 3) };
  return [...fields, acl].filter(({ from, to }) => !isDeepStrictEqual(from, to));
}

function recopyOrder(
  service: Service,
  request: ChainRequest,
  { uuid, file, record }: Incoming,
  changes: readonly FieldChange[],
): CopyOrder {
  const result = { state: 'succeeded', bytes: file.size, attempt: 0 } as const;
  const member = { uuid, name: record.name, version: record.version, sha1: file.sha1, size: file.size, result };
  const order = newOrder(service, request, [member]);
  return { ...order, state: 'succeeded', live: false, finished_at: order.created_at, changes };
}
