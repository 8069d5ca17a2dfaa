/** Reading and changing the records of links. */
import { EtagConflictError } from '#lib/documents/errors.ts';
import type { Stored, Write } from '#lib/documents/store.ts';
import { ApiError } from '../../../lib/api/errors/api-error.ts';
import type { Service } from '../../service/service.ts';
import { DATACENTERS, type LinkRecord } from './documents.ts';

/** Writers of one link are few: a health check, a rotation, a pairing. */
const TRIES = 10;

export async function findLink(service: Service, name: string): Promise<Stored<LinkRecord> | undefined> {
  return service.store.get(DATACENTERS, name);
}

/** @throws 404 ResourceNotFound */
export async function getLink(service: Service, name: string): Promise<Stored<LinkRecord>> {
  const stored = await findLink(service, name);
  if (!stored) throw new ApiError('ResourceNotFound', `datacenter "${name}" is not linked`);
  return stored;
}

/** By name. */
export async function allLinks(service: Service): Promise<LinkRecord[]> {
  const found = await service.store.find(DATACENTERS, {});
  return found.map(({ value }) => value);
}

/** `ifEtag`: the etag that the link was read with; null when it must not exist yet. */
export function putLink(link: LinkRecord, ifEtag: string | null): Write {
  return { op: 'put', bucket: DATACENTERS, key: link.name, value: { ...link, rev: link.rev + 1 }, ifEtag };
}

/** Whatever its state: a link that is ended comes back by no concurrent change. */
export function deleteLink(name: string): Write {
  return { op: 'del', bucket: DATACENTERS, key: name };
}

/** Read, change, write; again when somebody else wrote in between. A link that is gone by then stays gone. */
export async function changeLink(
  service: Service,
  name: string,
  change: (link: LinkRecord) => LinkRecord,
): Promise<LinkRecord | undefined> {
  for (let attempt = 1; ; attempt++) {
    const stored = await findLink(service, name);
    if (!stored) return undefined;
    const link = change(stored.value);
    try {
      await service.store.batch([putLink(link, stored.etag)]);
      return link;
    } catch (error) {
      if (!(error instanceof EtagConflictError) || attempt === TRIES) throw error;
    }
  }
}
