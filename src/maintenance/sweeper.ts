/**
 * Removes staged bytes that nothing uses any more, such as those of uploads and copies after a crash. They are removed
 * only if they are older than the grace time **and** no live upload, transfer or placement refers to them; age alone is
 * never enough. A dry run shows the same plan that a real run carries out.
 */

import type { Query } from '#lib/documents/store.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { SessionInfo } from '#lib/objects/object-store.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { sessionsInUse } from '../copies/documents/staging.ts';
import { ARCHIVE_SESSIONS } from '../images/files/archive.ts';
import { recoverPlacement } from '../images/files/file-placement.ts';
import { uploadSessions } from '../images/files/upload-register.ts';
import { sessionsOfMoves } from '../images/moving/move-note.ts';
import { loadRaw } from '../images/record/load.ts';
import { sessionsOfUploads } from '../images/uploads/model.ts';
import { answeringStorages } from '../service/answering-storages.ts';
import type { Service } from '../service/service.ts';

type Found = SessionInfo & { readonly stor: string };

export interface SweepPlan {
  readonly sessions: readonly Found[];
  /** Files with the store's internal names, to which nothing can refer. */
  readonly leftovers: readonly Found[];
  readonly bytes: number;
}

export interface SweepOptions {
  /** Do not wait for the grace time, because an operator asked. */
  readonly eager?: boolean;
}

/** Work this short is not registered anywhere, so even an eager sweep waits this long (ms). */
const MOMENT = 60_000;

export async function planSweep(service: Service, { eager = false }: SweepOptions = {}): Promise<SweepPlan> {
  const grace = service.config.sweep.graceSeconds * 1000;
  const now = service.store.now();
  const found: Found[] = [];
  const leftovers: Found[] = [];
  for (const storage of await answeringStorages(service)) {
    const stor = storage.name;
    for (const session of await storage.sessions()) {
      const patience = eager ? (isRegistered(session) ? 0 : Math.min(grace, MOMENT)) : grace;
      if (session.mtime.getTime() < now - patience) found.push({ ...session, stor });
    }
    const left = await storage.leftovers(...(eager ? [MOMENT] : []));
    leftovers.push(...left.map((leftover) => ({ ...leftover, stor })));
  }
  // Looked up after listing, so that a session that begins in between is safe: it is not in the list.
  const needed = await neededSessions(service, found);
  return planOf(
    found.filter(({ session }) => !needed.has(session)),
    leftovers,
  );
}

/** Longer work records its session, before opening it, where `neededSessions` finds it. */
function isRegistered({ session }: SessionInfo): boolean {
  return !session.startsWith(ARCHIVE_SESSIONS);
}

function planOf(sessions: readonly Found[], leftovers: readonly Found[]): SweepPlan {
  return { sessions, leftovers, bytes: [...sessions, ...leftovers].reduce((sum, { size }) => sum + size, 0) };
}

/** Checks again that each session is not needed before removing it. Returns what was removed. */
export async function carryOutSweep(service: Service, plan: SweepPlan): Promise<SweepPlan> {
  const needed = await neededSessions(service, plan.sessions);
  const removed: Found[] = [];
  const sessions = plan.sessions.map((session) => async () => {
    if (needed.has(session.session)) return;
    await service.storages.find(session.stor)?.discard(session.session);
    removed.push(session);
  });
  const leftovers = plan.leftovers.map((leftover) => async () => {
    await service.storages.find(leftover.stor)?.removeLeftover(leftover);
  });
  await forEachInTurn([...sessions, ...leftovers], (remove) => remove());
  return planOf(removed, plan.leftovers);
}

/** The given sessions that are still needed. Only these are looked for, since there may be far more in use. */
async function neededSessions(service: Service, sessions: readonly Found[]): Promise<Set<string>> {
  const among = new Set(sessions.map(({ session }) => session));
  // Asked in any case: entries of dead uploads go on the way, also when of their bytes nothing is left.
  const uploads = await uploadSessions(service, among);
  if (sessions.length === 0) return uploads;
  const needed = new Set([
    ...uploads,
    ...(await sessionsInUse(service, among)),
    ...(await sessionsOfMoves(service, among)),
    ...(await sessionsOfUploads(service, among)),
  ]);
  for await (const found of imagesWithIntent(service)) {
    for (const { key } of found) {
      const intent = (await loadRaw(service, key))?.value.intent;
      if (intent && among.has(intent.session)) needed.add(intent.session);
    }
  }
  return needed;
}

/**
 * Finishes or undoes placements that a crash interrupted, and returns how many there were. Leaves files of live copies
 * alone: the copy's next attempt continues with the bytes that undoing would remove.
 */
export async function recoverPlacements(service: Service): Promise<number> {
  let count = 0;
  await forEachInTurn(imagesWithIntent(service), async (found) => {
    count += found.length;
    await forEachInTurn(found, async ({ key }) => {
      const stored = await loadRaw(service, key);
      if (stored && !isOfLiveCopy(stored.value)) await recoverPlacement(service, stored);
    });
  });
  return count;
}

function isOfLiveCopy({ copy, intent }: ImageRecord): boolean {
  return copy?.state === 'live' && intent?.kind === 'file';
}

/** In the order of an index that leaves out all others: each start asks for these, and there are few or none. */
export const WITH_INTENT: Query = {
  filter: { op: 'ge', field: 'intent_lease', value: '' },
  sort: { field: 'intent_lease', order: 'asc' },
};

function imagesWithIntent(service: Service) {
  return service.store.scan(IMAGES, WITH_INTENT);
}
