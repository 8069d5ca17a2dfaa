/**
 * The task that looks after what was found: a file that is right again is let go of, and the right bytes of others are
 * taken from another image, or fetched from a linked datacenter, now and again until one has them.
 */
import type { Which } from '#lib/manifest/object-paths.ts';
import { objectRecord } from '#lib/manifest/record.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { FINDINGS, findingKey, forgetFinding, isQuarantined, type StoredFinding } from '../../images/files/findings.ts';
import { loadImage, loadRaw, type StoredImage } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { type Outcome, type RepairOptions, repairFile } from '../repair.ts';
import { repairSources, twinsOf } from '../repair-sources.ts';
import { pace } from './inspect.ts';
import type { ScrubObserver } from './observer.ts';
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
      if (isDue(service, value)) mended += await mend(service, value, observer, { signal, slow });
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
): Promise<number> {
  const { signal } = options;
  // It may have been mended with another that has the same bytes.
  if (!(await service.store.get(FINDINGS, findingKey(uuid, index)))) return 0;
  const stored = await loadImage(service, uuid);
  // What is deleted may be restored, with its mark; and a record that cannot be served may be mended.
  if (!stored && (await loadRaw(service, uuid))) return 0;
  if (!stored || !objectRecord(stored.value, index)) {
    await service.store.batch([forgetFinding(uuid, index)]);
    return 0;
  }
  if (!isChecked(stored)) return 0;
  const found = await checkFile(service, uuid, index, pace(service.config.scrub), signal);
  if (found === 'good') return 1 + (await mendTwins(service, stored, index, observer, options));
  const finding = (await service.store.get(FINDINGS, findingKey(uuid, index)))?.value;
  if (found === 'unknown' || !finding) return 0;
  await keepAside(service, finding);
  // The others with the same bytes may be names of the same damaged ones: nobody is to be given them by those either.
  if (!finding.repair) await checkTwins(service, stored, index, signal);
  const outcome = await attempt(service, stored, index, options);
  if ('from' in outcome) {
    observer.repair('repaired');
    service.log.info({ image: uuid, file: finding.file, from: outcome.from }, 'a damaged file was replaced');
    return 1 + (await mendTwins(service, stored, index, observer, options));
  }
  observer.repair('failed');
  service.log.warn({ image: uuid, file: finding.file, problem: outcome.problem }, 'a damaged file could not be mended');
  const tried_at = new Date(service.store.now()).toISOString();
  await changeFinding(service, finding, { repair: { tried_at, problem: outcome.problem } });
  return 0;
}

async function checkTwins(service: Service, stored: StoredImage, which: Which, signal: AbortSignal): Promise<void> {
  await forEachInTurn(await twinsOf(service, stored, which), async ({ image, index }) => {
    if (!isQuarantined(image.value, index)) {
      await checkFile(service, image.key, index, pace(service.config.scrub), signal);
    }
  });
}

/** Those that no datacenter has, as clones, get the right bytes as soon as there are any here. */
async function mendTwins(
  service: Service,
  stored: StoredImage,
  which: Which,
  observer: ScrubObserver,
  options: RepairOptions,
): Promise<number> {
  let mended = 0;
  await forEachInTurn(await twinsOf(service, stored, which), async ({ image, index }) => {
    const finding = (await service.store.get(FINDINGS, findingKey(image.key, index)))?.value;
    if (finding) mended += await mend(service, finding, observer, options);
  });
  return mended;
}

async function attempt(service: Service, stored: StoredImage, which: Which, options: RepairOptions): Promise<Outcome> {
  if (!service.config.scrub.repair) return { problem: 'scrub.repair is false' };
  return repairFile(service, await repairSources(service, stored, which), stored, which, options);
}
