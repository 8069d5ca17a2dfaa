/**
 * Removes staged bytes that nothing refers to any more: what a crash left of uploads and copies. Staging goes only
 * when it is older than the grace time **and** no live upload, transfer or placement names it; age alone never decides.
 * The plan is a value: a dry run shows it, a real run carries out the same.
 */

import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import type { SessionInfo } from '#lib/objects/object-store.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { ARCHIVE_SESSIONS } from '../images/files/archive.ts';
import { recoverPlacement } from '../images/files/file-placement.ts';
import { uploadSessions } from '../images/files/upload-register.ts';
import { loadRaw } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';

type Found = SessionInfo & { readonly stor: string };

export interface SweepPlan {
  readonly sessions: readonly Found[];
  /** Under names of the store's own, which nothing can refer to. */
  readonly leftovers: readonly Found[];
  readonly bytes: number;
}

export interface SweepOptions {
  /** What nothing refers to goes without its grace time: an operator asks. */
  readonly eager?: boolean;
}

/** Milliseconds that even an eager sweep leaves to what is not registered anywhere because it takes but a moment. */
const MOMENT = 60_000;

/** Those of the write sessions that somebody else's work needs, such as the transfers of copies. */
export type SessionsInUse = (service: Service, among: ReadonlySet<string>) => Promise<ReadonlySet<string>>;

export async function planSweep(
  service: Service,
  inUse: SessionsInUse,
  { eager = false }: SweepOptions = {},
): Promise<SweepPlan> {
  const grace = service.config.sweep.graceSeconds * 1000;
  const now = service.store.now();
  const found: Found[] = [];
  const leftovers: Found[] = [];
  for (const storage of service.storages) {
    const stor = storage.name;
    for (const session of await storage.sessions()) {
      const patience = eager ? (isRegistered(session) ? 0 : Math.min(grace, MOMENT)) : grace;
      if (session.mtime.getTime() < now - patience) found.push({ ...session, stor });
    }
    const left = await storage.leftovers(...(eager ? [MOMENT] : []));
    leftovers.push(...left.map((leftover) => ({ ...leftover, stor })));
  }
  // The users are asked after the sessions were listed: a session that begins meanwhile is not in the list.
  const needed = await neededSessions(service, inUse, found);
  return planOf(
    found.filter(({ session }) => !needed.has(session)),
    leftovers,
  );
}

/** What goes on for longer notes its session where `neededSessions` finds it, before it is opened. */
function isRegistered({ session }: SessionInfo): boolean {
  return !session.startsWith(ARCHIVE_SESSIONS);
}

function planOf(sessions: readonly Found[], leftovers: readonly Found[]): SweepPlan {
  return { sessions, leftovers, bytes: [...sessions, ...leftovers].reduce((sum, { size }) => sum + size, 0) };
}

/** Each session is looked at once more before it goes. Answers what was removed. */
export async function carryOutSweep(service: Service, plan: SweepPlan, inUse: SessionsInUse): Promise<SweepPlan> {
  const needed = await neededSessions(service, inUse, plan.sessions);
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

/** Those of the sessions that are needed: there may be many more users than sessions. */
async function neededSessions(
  service: Service,
  inUse: SessionsInUse,
  sessions: readonly Found[],
): Promise<Set<string>> {
  if (sessions.length === 0) return new Set();
  const among = new Set(sessions.map(({ session }) => session));
  const needed = new Set([...(await uploadSessions(service, among)), ...(await inUse(service, among))]);
  for await (const found of imagesWithIntent(service)) {
    for (const { key } of found) {
      const intent = (await loadRaw(service, key))?.value.intent;
      if (intent && among.has(intent.session)) needed.add(intent.session);
    }
  }
  return needed;
}

/**
 * Placements that a crash left half done, finished or undone. Answers how many there were. The file of a copy under way
 * is left to its next attempt, which goes on with the bytes that undoing would remove.
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

function imagesWithIntent(service: Service) {
  return service.store.scan(IMAGES, { filter: { op: 'exists', field: 'intent_lease' } });
}
