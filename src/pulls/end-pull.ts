/** The end of a pull link before its day: whoever pulled has all that was wanted. */
import { updateObject } from '#lib/documents/update.ts';
import type { Service } from '../service/service.ts';
import { PULL_LINKS, type PullRecord } from './documents.ts';

/**
 * Opens nothing and holds no bytes from then on; that it was there is remembered until its day has passed. Repeating it
 * does what is left to do. False when there is no such link of that datacenter (any more).
 */
export async function endPull(
  service: Service,
  { reqid, datacenter }: Pick<PullRecord, 'reqid' | 'datacenter'>,
): Promise<boolean> {
  const ended = await updateObject(service.store, PULL_LINKS, reqid, (current) => {
    if (current.datacenter !== datacenter || current.ended) return undefined;
    const changed: PullRecord = { ...current, ended: true, rev: current.rev + 1 };
    return changed;
  });
  if (ended?.value.datacenter !== datacenter) return false;
  const { stor, path, direct } = ended.value;
  if (!direct) await service.storages.named(stor).remove(path);
  return true;
}
