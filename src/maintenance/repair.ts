/** Replaces a damaged file or icon with the right bytes, from another image here or from a linked datacenter. */
import type { Readable } from 'node:stream';
import { imageObjectPath, objectName, type Which } from '#lib/manifest/object-paths.ts';
import { type FileRecord, type IconRecord, type ImageRecord, objectRecord } from '#lib/manifest/record.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { failureOf } from '../copies/documents/failure-of.ts';
import { withLeastRate } from '../datacenters/sources/least-rate.ts';
import { placeFile } from '../images/files/file-placement.ts';
import { staging } from '../images/files/upload-register.ts';
import type { StoredImage } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';

/** A source that drips must not keep the next one, and all other files, waiting: so long, and so fast at least. */
const LEAST_LIMIT_MS = 600_000;
const LEAST_RATE = 1024 * 1024;

/** Where the right bytes may be had. What it gives is believed by its hash alone. */
export interface RepairSource {
  /** As shown to operators. */
  readonly name: string;
  read(wanted: Wanted): Promise<Readable>;
}

/** What is damaged. */
export interface Wanted {
  readonly image: ImageRecord;
  readonly which: Which;
  readonly file: FileRecord | IconRecord;
  readonly signal: AbortSignal;
}

export interface RepairOptions {
  readonly signal: AbortSignal;
  /** Names of sources that took too long for another file: they are asked last. This one adds its own. */
  readonly slow?: Set<string>;
  /** Milliseconds that a source has at least. */
  readonly leastLimitMs?: number;
}

/** Where the right bytes came from, or why they could not be had. */
export type Outcome = { readonly from: string } | { readonly problem: string };

/** Tries the sources in turn. Never stores bytes that do not match the record. */
export async function repairFile(
  service: Service,
  sources: readonly RepairSource[],
  { value: image }: StoredImage,
  which: Which,
  { signal, slow = new Set(), leastLimitMs = LEAST_LIMIT_MS }: RepairOptions,
): Promise<Outcome> {
  const file = objectRecord(image, which);
  if (!file) return { problem: `there is no ${objectName(which)}` };
  const problems: string[] = [];
  const isSlow = ({ name }: RepairSource): number => Number(slow.has(name));
  for (const source of sources.toSorted((a, b) => isSlow(a) - isSlow(b))) {
    const limit = timeLimit(leastLimitMs + (file.size / LEAST_RATE) * 1000);
    try {
      await fetchFrom(service, source, { image, which, file, signal: AbortSignal.any([signal, limit]) });
      return { from: source.name };
    } catch (error) {
      if (signal.aborted) throw error;
      if (limit.aborted) slow.add(source.name);
      problems.push(`${source.name}: ${limit.aborted ? 'it took too long' : failureOf(error).message}`);
    }
  }
  return { problem: problems.length > 0 ? problems.join('; ') : 'there is no linked datacenter to fetch it from' };
}

async function fetchFrom(service: Service, source: RepairSource, wanted: Wanted): Promise<void> {
  const { image, which, file, signal } = wanted;
  const { uuid } = image;
  const storage = service.storages.named(file.stor);
  const open = (session: string): Promise<WriteSession> =>
    storage.open({
      path: imageObjectPath(uuid, objectName(which)),
      session,
      expect: file.size,
      limit: file.size,
      once: true,
      signal,
    });
  await staging(service, { image: uuid, session: `repair.${uuid}.${newUuid()}` }, open, async (session) => {
    const stream = await source.read(wanted);
    await session.append(withLeastRate(service, stream, source.name), { signal, disposable: true });
    assertSameBytes(file, await session.hashes());
    await session.flush();
    await service.faults.reach('repair:fetched');
    const guard = (current: ImageRecord): void => assertSameFile(objectRecord(current, which), file);
    const place = which === 'icon' ? ({ kind: 'icon' } as const) : ({ kind: 'file', index: which } as const);
    await placeFile(service, { uuid, session, file, guard, ...place });
  });
}

/** @throws if a hash of the record is another one */
function assertSameBytes(
  file: FileRecord | IconRecord,
  is: { readonly sha1: string; readonly sha256?: string | undefined },
): void {
  const { sha1, sha256 } = file as Partial<FileRecord>;
  if (sha1 === undefined) throw new Error('its record has no hash to compare with');
  if (is.sha1 !== sha1) throw new Error(`its bytes differ (sha1 ${is.sha1})`);
  if (sha256 !== undefined && is.sha256 !== sha256) throw new Error(`its bytes differ (sha256 ${is.sha256})`);
}

/** An image that is not activated yet may have been given another file in the meantime, and any image another icon. */
function assertSameFile(now: FileRecord | IconRecord | undefined, { sha1, stor }: FileRecord | IconRecord): void {
  if (now?.sha1 !== sha1 || now.stor !== stor) throw new Error('the image now has another file');
}
