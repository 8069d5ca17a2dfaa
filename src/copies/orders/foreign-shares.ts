/**
 * The shares of images that another datacenter orders here. Whoever has a share of an image sees its origins as well. So a
 * datacenter that orders an image onto an origin that was here already could open that origin, with a share of its own.
 */
import { recordWithEntries } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { LONGEST_CHAIN } from '../../images/record/cycles.ts';
import { loadRaw } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { COPIES, type Transfer } from '../documents/model.ts';
import type { ForeignTerms } from './chain.ts';

/** Whether a share of an image on top of `base` would show something that did not come from `datacenter`. */
async function opensWhatWasHere(
  service: Pick<Service, 'store'>,
  base: string | undefined,
  datacenter: string,
): Promise<boolean> {
  let next = base;
  for (let depth = 0; next !== undefined; depth++) {
    const record: ImageRecord | undefined = (await loadRaw(service, next))?.value;
    if (!record) return false;
    if (depth >= LONGEST_CHAIN || (!record.public && record.copied_from?.datacenter !== datacenter)) return true;
    next = record.origin;
  }
  return false;
}

function withoutShares(record: ImageRecord): ImageRecord {
  return recordWithEntries(record, []);
}

/** Whether nobody here asked for the image itself, only other datacenters did. */
export async function isOrderedElsewhere(service: Pick<Service, 'store'>, { orders }: Transfer): Promise<boolean> {
  for (const uuid of orders) {
    const order = (await service.store.get(COPIES, uuid))?.value;
    if (order && !order.ordered_by) return false;
  }
  return true;
}

/** The record as an order brings it. */
export async function sharedAsOrdered(
  service: Pick<Service, 'store'>,
  record: ImageRecord,
  base: string | undefined,
  terms: Pick<ForeignTerms, 'by'> | undefined,
): Promise<ImageRecord> {
  const isOpening = terms !== undefined && (await opensWhatWasHere(service, base, terms.by.datacenter));
  return isOpening ? withoutShares(record) : record;
}
