/** Reads and changes the records of links. */

import { ApiError } from '#lib/api/errors/api-error.ts';
import type { Stored, WithStore, Write } from '#lib/documents/store.ts';
import { updateObject } from '#lib/documents/update.ts';
import { DATACENTERS, LINK_RATES, type LinkRecord } from './documents.ts';

export async function findLink(service: WithStore, name: string): Promise<Stored<LinkRecord> | undefined> {
  return service.store.get(DATACENTERS, name);
}

/** @throws 404 ResourceNotFound */
export async function getLink(service: WithStore, name: string): Promise<Stored<LinkRecord>> {
  const stored = await findLink(service, name);
  if (!stored) throw new ApiError('ResourceNotFound', `datacenter "${name}" is not linked`);
  return stored;
}

/** Sorted by name. */
export async function allLinks(service: WithStore): Promise<LinkRecord[]> {
  const found = await service.store.find(DATACENTERS, {});
  return found.map(({ value }) => value);
}

/** `ifEtag`: the link's etag when it was read; null if it must not exist yet. */
export function putLink(link: LinkRecord, ifEtag: string | null): Write {
  return { op: 'put', bucket: DATACENTERS, key: link.name, value: written(link), ifEtag };
}

function written(link: LinkRecord): LinkRecord {
  return { ...link, rev: link.rev + 1 };
}

/** Unconditional, so that a concurrent change cannot keep the link alive. */
export function deleteLink(name: string): Write {
  return { op: 'del', bucket: DATACENTERS, key: name };
}

/** Deletes what there is of a link that has ended. */
export function endedLink(name: string): Write[] {
  return [deleteLink(name), { op: 'del', bucket: LINK_RATES, key: name }];
}

/** Returns the changed link. If it has been deleted, writes nothing and returns undefined. */
export async function changeLink(
  service: WithStore,
  name: string,
  change: (link: LinkRecord) => LinkRecord,
): Promise<LinkRecord | undefined> {
  const changed = await updateObject(service.store, DATACENTERS, name, (link) => written(change(link)));
  return changed?.value;
}
