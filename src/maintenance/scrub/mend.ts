/**
 * The task that looks after what was found: a file that is right again is let go of, and the right bytes of others are
 * fetched from a linked datacenter, now and again until one has them.
 */
import { forEachInTurn } from '#lib/runtime/each.ts';
import { sourcesOfRepair } from '../../datacenters/sources/sources.ts';
import { FINDINGS, findingKey, forgetFinding, type StoredFinding } from '../../images/files/findings.ts';
import { loadImage, loadRaw } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { type RepairOptions, repairFile } from '../repair.ts';
import { pace } from './inspect.ts';
import type { ScrubObserver } from './metrics.ts';
import { changeFinding, keepAside } from './quarantine.ts';
import { checkFile, isChecked } from './scrub.ts';

/** From one attempt at a file to the next. */
const AGAIN_MS = 3600_000;

/** Returns how many files are right again. */
export async function mendFiles(service: Service, observer: ScrubObserver, signal: AbortSignal): Promise<number> {
  let mended = 0;
  const slow = new Set<string>();
  await forEachInTurn(service.store.scan(FINDINGS, {}, { signal }), async (found) => {
    await forEachInTurn(found, async ({ value }) => {
      signal.throwIfAborted();
      if (isDue(service, value) && (await mend(service, value, observer, { signal, slow }))) mended++;
    });
  });
  return mended;
}

function isDue({ store }: Service, { repair }: StoredFinding): boolean {
  return repair === undefined || Date.parse(repair.tried_at) + AGAIN_MS <= store.now();
}

async function mend(
  service: Service,
  { uuid, index }: StoredFinding,
  observer: ScrubObserver,
  options: RepairOptions,
): Promise<boolean> {
  const { signal } = options;
  const stored = await loadImage(service, uuid);
  const file = stored?.value.files?.[index];
  // What is deleted may be restored, with its mark; and a record that cannot be served may be mended.
  if (!stored && (await loadRaw(service, uuid))) return false;
  if (!stored || !file) {
    await service.store.batch([forgetFinding(uuid, index)]);
    return false;
  }
  if (!isChecked(stored)) return false;
  const found = await checkFile(service, uuid, index, pace(service.config.scrub), signal);
  if (found === 'good') return true;
  const finding = (await service.store.get(FINDINGS, findingKey(uuid, index)))?.value;
  if (found === 'unknown' || !finding) return false;
  await keepAside(service, finding);
  const outcome = await attempt(service, stored, finding, options);
  if ('from' in outcome) {
    observer.repair('repaired');
    service.log.info({ image: uuid, file: finding.file, from: outcome.from }, 'a damaged file was fetched again');
    return true;
  }
  observer.repair('failed');
  service.log.warn({ image: uuid, file: finding.file, problem: outcome.problem }, 'a damaged file could not be mended');
  const tried_at = new Date(service.store.now()).toISOString();
  await changeFinding(service, finding, { repair: { tried_at, problem: outcome.problem } });
  return false;
}

async function attempt(
  service: Service,
  stored: Parameters<typeof repairFile>[2],
  { index }: StoredFinding,
  options: RepairOptions,
): Promise<Awaited<ReturnType<typeof repairFile>>> {
  const file = stored.value.files?.[index];
  if (!service.config.scrub.repair) return { problem: 'scrub.repair is false' };
  if (!file || index > 0) return { problem: 'only the first file of an image can be fetched again' };
  return repairFile(service, await sourcesOfRepair(service), stored, file, options);
}
