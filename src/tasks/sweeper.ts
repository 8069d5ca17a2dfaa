/**
 * Removes staged bytes that nothing refers to any more: what a crash left of uploads and copies. Staging goes only
 * when it is older than the grace time **and** no live upload, transfer or placement names it; age alone never decides.
 * The plan is a value: a dry run shows it, a real run carries out the same.
 */

import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore, SessionInfo } from '#lib/manta/object-store.ts';
import { recoverPlacement } from '../images/file-placement.ts';
import { loadRaw } from '../images/load.ts';
import { uploadSessions } from '../images/upload-register.ts';
import type { Service } from '../service.ts';

export interface SweepPlan {
  readonly sessions: readonly (SessionInfo & { readonly stor: string })[];
  readonly bytes: number;
}

/** Names of the write sessions that somebody else's work needs, such as the transfers of copies. */
export type SessionsInUse = (service: Service) => Promise<ReadonlySet<string>>;

export async function planSweep(service: Service, inUse: SessionsInUse): Promise<SweepPlan> {
  const oldest = service.clock.now() - service.config.sweep.graceSeconds * 1000;
  const found: (SessionInfo & { stor: string })[] = [];
  for (const storage of Object.values(service.storages) as ObjectStore[]) {
    for (const session of await storage.sessions()) {
      if (session.mtime.getTime() < oldest) found.push({ ...session, stor: storage.name });
    }
  }
  // The users are asked after the sessions were listed: a session that begins meanwhile is not in the list.
  const needed = found.length > 0 ? await neededSessions(service, inUse) : new Set<string>();
  const sessions = found.filter(({ session }) => !needed.has(session));
  return { sessions, bytes: sessions.reduce((sum, { size }) => sum + size, 0) };
}

/** Each session is looked at once more before it goes. Answers what was removed. */
export async function carryOutSweep(service: Service, plan: SweepPlan, inUse: SessionsInUse): Promise<SweepPlan> {
  const needed = plan.sessions.length > 0 ? await neededSessions(service, inUse) : new Set<string>();
  const removed: (SessionInfo & { stor: string })[] = [];
  for (const session of plan.sessions) {
    if (needed.has(session.session)) continue;
    const storage = (Object.values(service.storages) as ObjectStore[]).find(({ name }) => name === session.stor);
    await storage?.discard(session.session);
    removed.push(session);
  }
  return { sessions: removed, bytes: removed.reduce((sum, { size }) => sum + size, 0) };
}

async function neededSessions(service: Service, inUse: SessionsInUse): Promise<Set<string>> {
  const needed = new Set([...(await uploadSessions(service)), ...(await inUse(service))]);
  for (const { key } of await imagesWithIntent(service)) {
    const intent = (await loadRaw(service, key))?.value.intent;
    if (intent) needed.add(intent.session);
  }
  return needed;
}

/**
 * Placements that a crash left half done, finished or undone. Answers how many there were. The file of a copy under way
 * is left to its next attempt, which goes on with the bytes that undoing would remove.
 */
export async function recoverPlacements(service: Service): Promise<number> {
  const found = await imagesWithIntent(service);
  for (const { key } of found) {
    const stored = await loadRaw(service, key);
    if (stored && !isOfLiveCopy(stored.value)) await recoverPlacement(service, stored);
  }
  return found.length;
}

function isOfLiveCopy({ copy, intent }: ImageRecord): boolean {
  return copy?.state === 'live' && intent?.kind === 'file';
}

function imagesWithIntent(service: Service) {
  return service.store.find(IMAGES, { filter: { op: 'exists', field: 'intent_lease' } });
}
