/**
 * Which files that come by a link are read when they are in their place, and not before: those that would take long to read.
 * Nobody is given their bytes before that (`images/files/unread.ts`). Images that are to appear in several datacenters at one
 * moment are verified before it, so theirs are read first.
 */
import type { SessionHashes } from '#lib/objects/object-store.ts';
import { isMd5Late } from '../../images/files/late-md5.ts';
import type { Service } from '../../service/service.ts';
import { COPIES, type Transfer } from '../documents/model.ts';

/** The hashes that the bytes are to have; undefined if not all are known by which they are told from others. */
export function announcedHashes({ sha1, sha256 }: Transfer): SessionHashes | undefined {
  return sha256 === undefined ? undefined : { sha1, sha256 };
}

export async function isReadLater(service: Service, transfer: Transfer): Promise<boolean> {
  if (!announcedHashes(transfer) || !isMd5Late(service, transfer.total)) return false;
  const orders = await service.store.getMany(COPIES, transfer.orders);
  return orders.every(({ value }) => !value.hold);
}
