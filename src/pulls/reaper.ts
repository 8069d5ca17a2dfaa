/**
 * The reaper of the pulls area. Its plan is a value, so that a dry run shows exactly what a real run does. Names that it
 * does not recognise are reported and left alone.
 */

import type { DoomedObject, ReapReport } from '#lib/api/schemas/maintenance.ts';
import type { Filter, Stored, Write } from '#lib/documents/store.ts';
import { unlessChanged } from '#lib/documents/update.ts';
import { PULLS, pullsDirectory } from '#lib/manifest/object-paths.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { answeringStorages } from '../service/answering-storages.ts';
import type { Service } from '../service/service.ts';
import { ENDED, PULL_LINKS, type PullRecord } from './documents.ts';
import { isPullsDay, lastExpiredDay, parsePullName } from './pull-path.ts';

/** What a run will do; links are as of the moment the plan was made. */
export type ReapPlan = Pick<ReapReport, 'until' | 'objects' | 'directories' | 'links' | 'ignored'>;

export interface ReapOptions {
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Removes days that are more than `pulls.keepDays` days old, and what is left of ended links. */
export async function reapPulls(service: Service, options: ReapOptions = {}): Promise<ReapReport> {
  const plan = await planReap(service, options.signal);
  return options.dryRun ? { ...reportOf(plan, []), dryRun: true } : executeReap(service, plan, options.signal);
}

/** Removes the pull links of one datacenter, whatever their age. */
export async function removePullsOf(service: Service, datacenter: string): Promise<ReapReport> {
  const filter: Filter = { op: 'eq', field: 'datacenter', value: datacenter };
  const { links, objects } = await surveyLinks(service, await answeringStorages(service), filter);
  return executeReap(service, { until: ENDED, objects, directories: [], links, ignored: [] });
}

/**
 * For the batch that ends the trust in a datacenter: its pull links become invalid with it, even if removing them fails
 * halfway.
 */
export async function endPullsOf(service: Service, datacenter: string): Promise<Write[]> {
  const records = await service.store.find(PULL_LINKS, {
    filter: { op: 'eq', field: 'datacenter', value: datacenter },
  });
  return records.map(({ key, value }) => {
    const ended: PullRecord = { ...value, day: ENDED, rev: value.rev + 1 };
    return { op: 'put', bucket: PULL_LINKS, key, value: ended };
  });
}

export async function planReap(service: Service, signal?: AbortSignal): Promise<ReapPlan> {
  const until = lastExpiredDay(service.store.now(), service.config.pulls.keepDays);
  const storages = await answeringStorages(service);
  const held = await surveyLinks(service, storages, { op: 'le', field: 'day', value: until }, signal);
  const objects = new Map<string, DoomedObject>();
  const directories: { storage: string; path: string }[] = [];
  const ignored: string[] = [];
  for (const storage of storages) {
    for (const { name, type } of await storage.list(PULLS)) {
      signal?.throwIfAborted();
      if (type !== 'directory' || !isPullsDay(name)) {
        ignored.push(`${storage.name}:${PULLS}/${name}`);
      } else if (name <= until) {
        const found = await surveyDay(storage, name);
        for (const object of found.objects) objects.set(idOf(object), object);
        ignored.push(...found.ignored);
        if (found.ignored.length === 0) directories.push({ storage: storage.name, path: pullsDirectory(name) });
      }
    }
  }
  for (const object of held.objects) objects.set(idOf(object), object);
  return { until, objects: [...objects.values()], directories, links: held.links, ignored };
}

export async function executeReap(service: Service, plan: ReapPlan, signal?: AbortSignal): Promise<ReapReport> {
  const failed: { path: string; error: string }[] = [];
  const attempt = async (path: string, remove: () => Promise<unknown>): Promise<void> => {
    signal?.throwIfAborted();
    try {
      assertInPulls(path);
      await remove();
    } catch (error) {
      failed.push({ path, error: error instanceof Error ? error.message : String(error) });
    }
  };
  // Links first, so that nobody renews one whose bytes are about to go. A link that was renewed meanwhile stays.
  for (const link of plan.links) await attempt(`${PULLS}/${link.reqid}`, () => endLink(service, link));
  for (const { storage, path } of plan.objects) await attempt(path, () => service.storages.named(storage).remove(path));
  for (const { storage, path } of plan.directories) {
    await attempt(path, () => removeEmpty(service.storages.named(storage), path));
  }
  const report = { ...reportOf(plan, failed), dryRun: false };
  if (plan.links.length + plan.objects.length + failed.length > 0) {
    const { until, links, objects, ignored } = plan;
    const counts = { links: links.length, objects: objects.length, bytes: report.bytes };
    service.log.info({ until, ...counts, failed, ignored }, 'reaped the pulls area');
  }
  return report;
}

function reportOf(plan: ReapPlan, failed: ReapReport['failed']): Omit<ReapReport, 'dryRun'> {
  const kept = new Set(failed.map(({ path }) => path));
  const gone = plan.objects.filter(({ path }) => !kept.has(path));
  return { ...plan, objects: gone, bytes: gone.reduce((sum, { size }) => sum + size, 0), failed };
}

async function surveyDay(storage: ObjectStore, day: string): Promise<{ objects: DoomedObject[]; ignored: string[] }> {
  const directory = pullsDirectory(day);
  const objects: DoomedObject[] = [];
  const ignored: string[] = [];
  for (const { name, type } of await storage.list(directory)) {
    const path = `${directory}/${name}`;
    if (type !== 'object' || !parsePullName(name)) ignored.push(`${storage.name}:${path}`);
    else objects.push({ storage: storage.name, path, size: (await storage.info(path))?.size ?? 0 });
  }
  return { objects, ignored };
}

/** Matching links and the objects that they hold. Keeps only what it takes to end each, because there may be many. */
async function surveyLinks(
  service: Service,
  storages: readonly ObjectStore[],
  filter: Filter,
  signal?: AbortSignal,
): Promise<Pick<ReapPlan, 'links' | 'objects'>> {
  const links: ReapPlan['links'][number][] = [];
  const objects: DoomedObject[] = [];
  for await (const records of service.store.scan(PULL_LINKS, { filter }, { signal })) {
    links.push(...records.map(({ key, etag }) => ({ reqid: key, etag })));
    objects.push(...(await objectsOf(storages, records)));
  }
  return { links, objects };
}

/** A direct link holds no object of its own. */
async function objectsOf(
  storages: readonly ObjectStore[],
  records: readonly Stored<PullRecord>[],
): Promise<DoomedObject[]> {
  const objects: DoomedObject[] = [];
  for (const { value } of records) {
    if (value.direct) continue;
    // A store that is down, or no longer configured, must not keep the others from being reaped.
    const storage = storages.find(({ name }) => name === value.stor);
    const info = await storage?.info(value.path);
    if (info) objects.push({ storage: value.stor, path: value.path, size: info.size });
  }
  return objects;
}

function idOf({ storage, path }: DoomedObject): string {
  return `${storage}:${path}`;
}

async function endLink(service: Service, { reqid, etag }: { reqid: string; etag: string }): Promise<void> {
  await unlessChanged(service.store.batch([{ op: 'del', bucket: PULL_LINKS, key: reqid, ifEtag: etag }]));
}

async function removeEmpty(storage: ObjectStore, directory: string): Promise<void> {
  if ((await storage.list(directory)).length === 0) await storage.removeTree(directory);
}

/** The last line of defence: nothing outside the pulls area is ever removed, whatever the plan says. */
function assertInPulls(path: string): void {
  const parts = path.split('/');
  if (parts[0] === PULLS && parts.length > 1 && !parts.some((part) => ['', '.', '..'].includes(part))) return;
  throw new Error(`${path} is not below ${PULLS}/`);
}
