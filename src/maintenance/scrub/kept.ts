/** Removes damaged bytes that were kept aside, a day's at a time, when they have been kept for long enough. */
import { QUARANTINE } from '#lib/manifest/object-paths.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { isPullsDay, lastExpiredDay } from '../../pulls/pull-path.ts';
import { answeringStorages } from '../../service/answering-storages.ts';
import type { Service } from '../../service/service.ts';

/** Returns the days that are gone. */
export async function removeKept(service: Service): Promise<string[]> {
  const { store, config } = service;
  const last = lastExpiredDay(store.now(), config.scrub.keepDays);
  const gone: string[] = [];
  await forEachInTurn(await answeringStorages(service), async (storage) => {
    for (const { name, type } of await storage.list(QUARANTINE)) {
      if (type !== 'directory' || !isPullsDay(name) || name > last) continue;
      await storage.removeTree(`${QUARANTINE}/${name}`);
      gone.push(name);
    }
  });
  return gone;
}
