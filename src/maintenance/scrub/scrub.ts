/**
 * The task that reads all stored files again. It goes by the images' UUIDs and notes from time to time how far it is, so
 * that a process that dies, or is replaced, costs a few seconds' work. What it finds it notes and no more: `mend.ts` takes
 * care of it.
 */
import { objectName, type Which } from '#lib/manifest/object-paths.ts';
import { IMAGES, objectRecord } from '#lib/manifest/record.ts';
import type { Throttle } from '../../copies/transfer/bandwidth.ts';
import { FINDINGS, findingKey } from '../../images/files/findings.ts';
import { loadImage, type StoredImage } from '../../images/record/load.ts';
import type { Service } from '../../service/service.ts';
import { type Inspection, inspect, pace } from './inspect.ts';
import type { ScrubObserver } from './observer.ts';
import { keepAside, note, retract } from './quarantine.ts';
import { checkpoint, endPass, type Pass, takePass } from './state.ts';

const PAGE = 20;
const CHECKPOINT_MS = 5000;
/** How often a file is looked at again because its record changed meanwhile. */
const MOST_LOOKS = 3;
/** So many in a row are no rot: something is wrong with the store as a whole. */
const MOST_BAD_IN_A_ROW = 20;

/** Goes on with a pass, if one is due. Returns what was done when it is complete. */
export async function scrub(
  service: Service,
  observer: ScrubObserver,
  signal: AbortSignal,
): Promise<{ readonly files: number; readonly bad: number; readonly skipped: number } | undefined> {
  let pass = await takePass(service);
  if (!pass) return undefined;
  const saver = new Saver(service, pass);
  try {
    pass = await goOn(service, saver, observer, signal);
  } catch (error) {
    // What was done is not done again; if it cannot be noted, it is.
    await saver.save().catch(() => undefined);
    throw error;
  }
  await endPass(service, pass);
  const { files, bad, skipped } = pass;
  return { files, bad, skipped };
}

/** The pass as far as it is, and from time to time in the store. */
class Saver {
  pass: Pass;
  readonly #service: Service;
  #saved = performance.now();

  constructor(service: Service, pass: Pass) {
    this.#service = service;
    this.pass = pass;
  }

  async add(after: string, { files, bytes, bad, skipped }: Checked): Promise<void> {
    this.pass = {
      ...this.pass,
      after,
      files: this.pass.files + files,
      bytes: this.pass.bytes + bytes,
      bad: this.pass.bad + bad,
      skipped: this.pass.skipped + skipped,
    };
    if (performance.now() - this.#saved >= CHECKPOINT_MS) await this.save();
  }

  async save(): Promise<void> {
    await checkpoint(this.#service, this.pass);
    this.#saved = performance.now();
  }
}

async function goOn(service: Service, saver: Saver, observer: ScrubObserver, signal: AbortSignal): Promise<Pass> {
  const throttle = pace(service.config.scrub);
  let badInARow = 0;
  for await (const uuid of imagesAfter(service, saver.pass.after, signal)) {
    signal.throwIfAborted();
    const checked = await checkImage(service, uuid, throttle, observer, signal);
    await saver.add(uuid, checked);
    if (checked.files > 0) badInARow = checked.bad > 0 ? badInARow + 1 : 0;
    if (badInARow === MOST_BAD_IN_A_ROW) {
      throw new Error(`${badInARow} images in a row are damaged: look at the object store as a whole`);
    }
  }
  return saver.pass;
}

async function* imagesAfter(service: Service, after: string, signal: AbortSignal): AsyncGenerator<string> {
  for (let key = after; ; ) {
    const query = { limit: PAGE, ...(key !== '' && { after: { value: null, key } }) };
    const page = await service.store.find(IMAGES, query, { signal });
    for (const found of page) yield found.key;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    key = last.key;
  }
}

interface Checked {
  readonly files: number;
  readonly bytes: number;
  readonly bad: number;
  readonly skipped: number;
}

async function checkImage(
  service: Service,
  uuid: string,
  throttle: Throttle,
  observer: ScrubObserver,
  signal: AbortSignal,
): Promise<Checked> {
  const checked = { files: 0, bytes: 0, bad: 0, skipped: 0 };
  for await (const { which, size } of objectsOf(service, uuid)) {
    const found = await checkFile(service, uuid, which, throttle, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      service.log.warn({ err: error, image: uuid, file: objectName(which) }, 'a file could not be checked');
      return 'unknown' as const;
    });
    const result = found === 'good' ? 'good' : found === 'unknown' ? 'skipped' : 'bad';
    observer.file(result, size);
    if (result === 'skipped') checked.skipped++;
    else {
      checked.files++;
      checked.bytes += size;
      if (result === 'bad') checked.bad++;
    }
  }
  return checked;
}

/** All files and the icon, by the record as it is each time. */
async function* objectsOf(service: Service, uuid: string): AsyncGenerator<{ which: Which; size: number }> {
  for (let which: Which = 0; ; ) {
    const stored = await loadImage(service, uuid);
    if (!stored || !isChecked(stored)) return;
    const object = objectRecord(stored.value, which);
    if (object) yield { which, size: object.size };
    if (which === 'icon') return;
    which = object ? which + 1 : 'icon';
  }
}

/** The bytes of a copy under way are checked when they are all here. */
export function isChecked({ value }: StoredImage): boolean {
  return value.copy === undefined && value.state !== 'deleting';
}

/** Reads the file, and notes or takes back what is known of it. */
export async function checkFile(
  service: Service,
  uuid: string,
  index: Which,
  throttle: Throttle,
  signal: AbortSignal,
): Promise<Inspection> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const stored = await loadImage(service, uuid);
    if (!stored || !isChecked(stored) || !objectRecord(stored.value, index)) return 'unknown';
    const found = await inspect(service, stored.value, index, throttle, signal);
    if (found === 'unknown') return found;
    if (found === 'good') {
      await retract(service, stored, index);
      return found;
    }
    if (!(await note(service, stored, index, found))) continue;
    const finding = await service.store.get(FINDINGS, findingKey(uuid, index));
    if (finding) await keepAside(service, finding.value);
    return found;
  }
  return 'unknown';
}
