/**
 * What a clone is about to make, noted before its first byte: the UUIDs of images that nobody sees yet, because they
 * have no record. The batch that makes all of them visible ends the note; a note whose lease runs out instead belongs
 * to a clone that died, and whatever lies under its UUIDs is removed. So an image is there whole, or not at all.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { LeaseKeeper, LeaseLostError } from '#lib/documents/lease.ts';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import { isConflict } from '#lib/documents/update.ts';
import { imageObjectDirectory } from '#lib/manifest/object-paths.ts';
import { lasts } from '#lib/runtime/clock.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';

interface CloneNote {
  /** UUIDs of the images that the clone makes. */
  readonly images: readonly string[];
  /** Milliseconds since the epoch: the end of the lease, or of the wait before the second clean-up. */
  readonly until: number;
  /** Given up: its images will never be visible. */
  readonly undone: boolean;
  /** Counts the writes. */
  readonly rev: number;
}

export const CLONES: Bucket<CloneNote> = {
  name: 'imgapi_clones',
  version: 1,
  index: { until: { type: 'number' } },
};

const LEASE_MS = 60_000;
const RENEWALS = 4;
/** A process that slept through the end of its lease may place one more object when it wakes up. */
const SECOND_LOOK_MS = 3_600_000;

export interface CloneJournal {
  /** Aborts with a {@link LeaseLostError} when another process takes the clone for dead, or may. */
  readonly signal: AbortSignal;
  /** Ends the renewals; answers the write that belongs into the batch with the images. */
  end(): Promise<Write>;
  /** Removes what was placed, unless the images are visible after all. */
  undo(): Promise<void>;
}

/** @param images fresh UUIDs */
export async function openJournal(service: Service, images: readonly string[]): Promise<CloneJournal> {
  const key = images.at(-1) ?? '';
  let note: CloneNote = { images, until: service.store.now() + LEASE_MS, undone: false, rev: 1 };
  let etag = await put(service, key, note, null);
  const keeper = new LeaseKeeper({
    clock: service.store,
    everyMs: LEASE_MS / RENEWALS,
    lease: () => ({ worker: service.worker, until: note.until }),
    async renew() {
      const renewed = { ...note, until: service.store.now() + LEASE_MS, rev: note.rev + 1 };
      etag = await put(service, key, renewed, etag).catch((cause: unknown) => {
        throw isConflict(cause) ? new LeaseLostError('another process took the clone for dead', { cause }) : cause;
      });
      note = renewed;
    },
    onMissed: (error) => service.log.warn({ err: error, images }, 'lease of a clone not renewed'),
  });

  return {
    signal: keeper.signal,
    async end() {
      await keeper.end();
      return { op: 'del', bucket: CLONES, key, ifEtag: etag };
    },
    async undo() {
      await keeper.end();
      try {
        await undo(service, key, { ...note, rev: note.rev + 1 }, etag, 0);
      } catch (error) {
        service.log.warn({ err: error, images }, 'the rest of a clone is left to the clean-up');
      }
    },
  };
}

/** The task: removes what died clones left. Answers how many there were. */
export async function undoAbandonedClones(service: Service): Promise<number> {
  let count = 0;
  await forEachInTurn(service.store.scan(CLONES, {}), async (found) => {
    // Read first, then the clock: what was renewed in between would else seem to end later than it can.
    const now = service.store.now();
    const abandoned = found.filter(({ value }) => !lasts(value.until, value.undone ? SECOND_LOOK_MS : LEASE_MS, now));
    count += abandoned.length;
    await forEachInTurn(abandoned, (stored) => undoStored(service, stored));
  });
  return count;
}

async function undoStored(service: Service, { key, value, etag }: Stored<CloneNote>): Promise<void> {
  const wait = value.undone ? 0 : SECOND_LOOK_MS;
  await undo(service, key, { ...value, rev: value.rev + 1 }, etag, wait);
  service.log.info({ images: value.images }, 'removed what a clone that died left');
}

/** First the fence, then the bytes: whoever still works on the clone finds that it cannot end it any more. */
async function undo(service: Service, key: string, note: CloneNote, etag: string, wait: number): Promise<void> {
  let fenced: string;
  try {
    fenced = await put(service, key, { ...note, undone: true, until: service.store.now() + wait }, etag, true);
  } catch (error) {
    // The images are visible, or somebody else undoes them.
    if (isConflict(error)) return;
    throw error;
  }
  for (const image of note.images) {
    for (const storage of service.storages) await storage.removeTree(imageObjectDirectory(image));
  }
  if (wait === 0) await service.store.batch([{ op: 'del', bucket: CLONES, key, ifEtag: fenced }]);
}

async function put(
  service: Service,
  key: string,
  value: CloneNote,
  ifEtag: string | null,
  frees = false,
): Promise<string> {
  const [etag = ''] = await service.store.batch([{ op: 'put', bucket: CLONES, key, value, ifEtag }], { frees });
  return etag;
}

export function takenForDead(cause: unknown): ApiError {
  return new ApiError('Conflict', 'the clone took too long and was given up by another process; clone again', {
    cause,
  });
}
