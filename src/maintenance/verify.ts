/**
 * Reads stored files and icons again to find damaged ones: `imgapiadm verify`. With `repair`, one that does not match its
 * record is replaced from another image here, or from a linked datacenter, that holds the same bytes.
 */

import type { Finding, VerifyLine, VerifyStore, VerifySummary } from '#lib/api/schemas/maintenance.ts';
import { imageObjectPath, objectName, type Which } from '#lib/manifest/object-paths.ts';
import { type FileRecord, type IconRecord, IMAGES, type ImageRecord, objectRecord } from '#lib/manifest/record.ts';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { hasMoved } from '../images/files/following-moves.ts';
import { isServed, loadImage, loadRaw, type StoredImage } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';
import type { Outcome } from './repair.ts';
import { retract } from './scrub/quarantine.ts';
import { StoresDown } from './stores-down.ts';

export interface VerifyOptions {
  /** Absent: all images. */
  readonly uuids?: readonly string[];
  /** Replaces a bad file. Returns where the right bytes came from, or why they could not be had. */
  readonly repair?: (stored: StoredImage, which: Which) => Promise<Outcome>;
  readonly signal: AbortSignal;
}

/** Yields a line per file and icon, and one for each store that does not answer; then the summary. */
export async function* verifyFiles(
  service: Service,
  options: VerifyOptions,
): AsyncGenerator<VerifyLine | VerifyStore | VerifySummary> {
  const counts = { ok: 0, missing: 0, size: 0, hash: 0, repaired: 0, unrepairable: 0, skipped: 0, files: 0, bytes: 0 };
  const down = new StoresDown(service);
  for await (const stored of chosenImages(service, options)) {
    for (const which of objectsOf(stored.value)) {
      const file = objectRecord(stored.value, which);
      if (options.signal.aborted) return;
      if (!file) continue;
      const line = await verifyFile(service, stored, file, which, options, down);
      counts.files++;
      if ('store' in line) {
        const message = down.toTell(line.store);
        if (message !== undefined) yield { ...line, message };
        counts.skipped++;
        continue;
      }
      counts[line.status]++;
      counts.bytes += file.size;
      yield line;
    }
  }
  yield { summary: counts };
}

function objectsOf({ files = [], icon }: ImageRecord): Which[] {
  return [...files.keys(), ...(icon ? (['icon'] as const) : [])];
}

async function verifyFile(
  service: Service,
  stored: StoredImage,
  file: FileRecord | IconRecord,
  which: Which,
  options: VerifyOptions,
  down: StoresDown,
): Promise<VerifyLine | Pick<VerifyStore, 'store'>> {
  const { repair, signal } = options;
  // Nothing can be said of its files, nor be put there.
  if (await down.isKnown(file.stor)) return { store: file.stor };
  const { uuid, name } = stored.value;
  const line = { uuid, name, file: objectName(which) };
  const bad = await problemOf(service, uuid, file, which, signal);
  const now = bad && (await loadRaw(service, uuid))?.value;
  const moved = now && hasMoved(stored.value, now) ? objectRecord(now, which) : undefined;
  if (now && moved) return verifyFile(service, { ...stored, value: now }, moved, which, options, down);
  if (!bad) {
    if (!stored.value.kept) await retract(service, stored, which);
    return { ...line, status: 'ok' };
  }
  if (await down.ask(file.stor)) return { store: file.stor };
  // A deleted image is repaired once it is restored.
  if (!repair || stored.value.kept) return { ...line, ...bad };
  const outcome = await repair(stored, which);
  return 'from' in outcome
    ? { ...line, status: 'repaired', message: `${bad.message}; fetched again from ${outcome.from}` }
    : { ...line, status: 'unrepairable', message: `${bad.message}; ${outcome.problem}` };
}

async function problemOf(
  service: Service,
  uuid: string,
  file: FileRecord | IconRecord,
  which: Which,
  signal: AbortSignal,
): Promise<{ status: Finding; message: string } | undefined> {
  const storage = service.storages.named(file.stor);
  const path = imageObjectPath(uuid, objectName(which));
  const info = await storage.info(path).catch(unreadable);
  if (info instanceof ObjectStoreUnavailableError) {
    return { status: 'missing', message: `${path} cannot be read: ${info.message}` };
  }
  if (!info) return { status: 'missing', message: `${path} is missing` };
  if (info.size !== file.size) return { status: 'size', message: `${path} has ${info.size} bytes, not ${file.size}` };
  const read = await storage.hash(path, signal).catch(unreadable);
  if (read instanceof ObjectStoreUnavailableError) {
    return { status: 'missing', message: `${path} cannot be read: ${read.message}` };
  }
  for (const name of ['sha1', 'sha256'] as const) {
    // Icons have no sha256, and records of old ones no sha1 either.
    const right = (file as Partial<FileRecord>)[name];
    if (right === undefined || read[name] === right) continue;
    return { status: 'hash', message: `${path} has ${name} ${read[name]}, not ${right}` };
  }
  return undefined;
}

/** A read error is a finding like any other, so the check continues with the next file. */
function unreadable(error: unknown): ObjectStoreUnavailableError {
  if (error instanceof ObjectStoreUnavailableError) return error;
  throw error;
}

async function* chosenImages(service: Service, { uuids, signal }: VerifyOptions): AsyncGenerator<StoredImage> {
  if (uuids) {
    for (const uuid of uuids) {
      const stored = await loadRaw(service, uuid);
      if (stored) yield stored;
    }
    return;
  }
  for await (const found of service.store.scan(IMAGES, {}, { signal })) {
    for (const { key } of found) {
      // The record may be out of date: earlier files may have taken hours.
      const stored = (await loadImage(service, key)) ?? (await loadRaw(service, key));
      if (stored && (stored.value.kept || isServed(service, stored))) yield stored;
    }
  }
}
