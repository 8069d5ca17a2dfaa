/**
 * Reads stored files again to find damaged ones: `imgapiadm verify`. With `repair`, a file that does not match its
 * record is fetched again from a linked datacenter that holds the same bytes.
 */

import type { Finding, VerifyLine, VerifySummary } from '#lib/api/schemas/maintenance.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { type FileRecord, IMAGES } from '#lib/manifest/record.ts';
import { ObjectStoreUnavailableError } from '#lib/objects/errors.ts';
import { hasMoved } from '../images/files/following-moves.ts';
import { isServed, loadImage, loadRaw, type StoredImage } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';
import { retract } from './scrub/quarantine.ts';

export interface VerifyOptions {
  /** Absent: all images. */
  readonly uuids?: readonly string[];
  /** Replaces a bad file. Returns where the right bytes came from, or why they could not be had. */
  readonly repair?: (stored: StoredImage, file: FileRecord) => Promise<{ from: string } | { problem: string }>;
  readonly signal: AbortSignal;
}

/** Yields a line per file, then the summary. */
export async function* verifyFiles(
  service: Service,
  options: VerifyOptions,
): AsyncGenerator<VerifyLine | VerifySummary> {
  const counts = { ok: 0, missing: 0, size: 0, hash: 0, repaired: 0, unrepairable: 0, files: 0, bytes: 0 };
  for await (const stored of chosenImages(service, options)) {
    for (const [index, file] of (stored.value.files ?? []).entries()) {
      if (options.signal.aborted) return;
      const line = await verifyFile(service, stored, file, index, options);
      counts[line.status]++;
      counts.files++;
      counts.bytes += file.size;
      yield line;
    }
  }
  yield { summary: counts };
}

async function verifyFile(
  service: Service,
  stored: StoredImage,
  file: FileRecord,
  index: number,
  { repair, signal }: VerifyOptions,
): Promise<VerifyLine> {
  const { uuid, name } = stored.value;
  const line = { uuid, name, file: `file${index}` };
  const bad = await problemOf(service, uuid, file, index, signal);
  const now = bad && (await loadRaw(service, uuid))?.value;
  const moved = now && hasMoved(stored.value, now) ? now.files?.[index] : undefined;
  if (now && moved) return verifyFile(service, { ...stored, value: now }, moved, index, { repair, signal });
  if (!bad) {
    if (!stored.value.kept) await retract(service, stored, index);
    return { ...line, status: 'ok' };
  }
  // A deleted image is repaired once it is restored.
  if (!repair || index > 0 || stored.value.kept) return { ...line, ...bad };
  const outcome = await repair(stored, file);
  return 'from' in outcome
    ? { ...line, status: 'repaired', message: `${bad.message}; fetched again from ${outcome.from}` }
    : { ...line, status: 'unrepairable', message: `${bad.message}; ${outcome.problem}` };
}

async function problemOf(
  service: Service,
  uuid: string,
  file: FileRecord,
  index: number,
  signal: AbortSignal,
): Promise<{ status: Finding; message: string } | undefined> {
  const storage = service.storages.named(file.stor);
  const path = imageObjectPath(uuid, index === 0 ? 'file0' : 'file1');
  const info = await storage.info(path);
  if (!info) return { status: 'missing', message: `${path} is missing` };
  if (info.size !== file.size) return { status: 'size', message: `${path} has ${info.size} bytes, not ${file.size}` };
  const read = await storage.hash(path, signal).catch(unreadable);
  if (read instanceof ObjectStoreUnavailableError) {
    return { status: 'missing', message: `${path} cannot be read: ${read.message}` };
  }
  const { sha1, sha256 } = read;
  if (sha1 !== file.sha1) return { status: 'hash', message: `${path} has sha1 ${sha1}, not ${file.sha1}` };
  if (file.sha256 !== undefined && sha256 !== file.sha256) {
    return { status: 'hash', message: `${path} has sha256 ${sha256}, not ${file.sha256}` };
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
