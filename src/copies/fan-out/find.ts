/** Which fan-outs a caller sees: an account those of its own, operators all. */
import type { Filter, WithStore } from '#lib/documents/store.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { FAN_OUTS, type FanOutRecord } from './model.ts';
import { fanOutNotFound } from './place.ts';

/** @param account undefined: an operator. @throws 404 */
export async function seenFanOut(service: WithStore, uuid: string, account: string | undefined): Promise<FanOutRecord> {
  const found = isUuid(uuid) ? (await service.store.get(FAN_OUTS, uuid))?.value : undefined;
  if (found && (account === undefined || found.account === account)) return found;
  throw fanOutNotFound(uuid);
}

export interface FanOutQuery {
  readonly account: string | undefined;
  readonly image: string | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listFanOuts({ store }: WithStore, { account, image, limit }: FanOutQuery) {
  const of: Filter[] = [];
  if (account !== undefined) of.push({ op: 'eq', field: 'account', value: account });
  if (image !== undefined) of.push({ op: 'eq', field: 'image', value: image });
  const sort = { field: 'created_at', order: 'desc' } as const;
  return (await store.find(FAN_OUTS, { filter: { op: 'and', of }, sort, limit })).map(({ value }) => value);
}
