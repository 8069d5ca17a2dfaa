/** Replaces a damaged file with the right bytes from a linked datacenter that has the same image. */

import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import type { FileRecord, ImageRecord } from '#lib/manifest/record.ts';
import type { WriteSession } from '#lib/objects/object-store.ts';
import { timeLimit } from '#lib/runtime/timers.ts';
import { newUuid } from '#lib/text/uuid.ts';
import { failureOf } from '../copies/documents/failure-of.ts';

import { withLeastRate } from '../datacenters/sources/least-rate.ts';
import type { ImageSource } from '../datacenters/sources/source.ts';
import { placeFile } from '../images/files/file-placement.ts';
import { staging } from '../images/files/upload-register.ts';
import type { StoredImage } from '../images/record/load.ts';
import type { Service } from '../service/service.ts';

/** A source that drips must not keep the next one, and all other files, waiting: so long, and so fast at least. */
const LEAST_LIMIT_MS = 600_000;
const LEAST_RATE = 1024 * 1024;

export interface RepairOptions {
  readonly signal: AbortSignal;
  /** Names of sources that took too long for another file: they are asked last. This one adds its own. */
  readonly slow?: Set<string>;
  /** Milliseconds that a source has at least. */
  readonly leastLimitMs?: number;
}

/** Tries the sources in turn. Never stores bytes that do not match the record. */
export async function repairFile(
  service: Service,
  sources: readonly ImageSource[],
  stored: StoredImage,
  file: FileRecord,
  { signal, slow = new Set(), leastLimitMs = LEAST_LIMIT_MS }: RepairOptions,
): Promise<{ from: string } | { problem: string }> {
  const problems: string[] = [];
  const isSlow = ({ name }: ImageSource): number => Number(slow.has(name));
  for (const source of sources.toSorted((a, b) => isSlow(a) - isSlow(b))) {
    const limit = timeLimit(leastLimitMs + (file.size / LEAST_RATE) * 1000);
    try {
      await fetchFrom(service, source, stored, file, AbortSignal.any([signal, limit]));
      return { from: source.name };
    } catch (error) {
      if (signal.aborted) throw error;
      if (limit.aborted) slow.add(source.name);
      problems.push(`${source.name}: ${limit.aborted ? 'it took too long' : failureOf(error).message}`);
    }
  }
  return { problem: problems.length > 0 ? problems.join('; ') : 'there is no linked datacenter to fetch it from' };
}

async function fetchFrom(
  service: Service,
  source: ImageSource,
  { value: record }: StoredImage,
  file: FileRecord,
  signal: AbortSignal,
): Promise<void> {
  const { uuid, owner } = record;
  const storage = service.storages.named(file.stor);
  const open = (session: string): Promise<WriteSession> =>
    storage.open({
      path: imageObjectPath(uuid, 'file0'),
      session,
      expect: file.size,
      limit: file.size,
      once: true,
      signal,
    });
  await staging(service, { image: uuid, session: `repair.${uuid}.${newUuid()}` }, open, async (session) => {
    const { stream } = await source.getFile(uuid, { account: owner, start: 0, sha1: file.sha1, signal });
    await session.append(withLeastRate(service, stream, source.name), { signal, disposable: true });
    const { sha1, sha256 } = await session.hashes();
    if (sha1 !== file.sha1) throw new Error(`its bytes differ (sha1 ${sha1})`);
    if (file.sha256 !== undefined && sha256 !== file.sha256) throw new Error(`its bytes differ (sha256 ${sha256})`);
    await session.flush();
    await service.faults.reach('repair:fetched');
    const guard = (current: ImageRecord): void => assertSameFile(current, file);
    await placeFile(service, { uuid, session, file, kind: 'file', index: 0, guard });
  });
}

/** An image that is not activated yet may have been given another file in the meantime. */
function assertSameFile({ files }: ImageRecord, { sha1 }: FileRecord): void {
  if (files?.[0]?.sha1 !== sha1) throw new Error('the image now has another file');
}
