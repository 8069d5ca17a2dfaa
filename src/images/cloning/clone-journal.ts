/**
 * Notes what a clone is about to create before its first byte is placed: the UUIDs of images that nobody sees yet,
 * because they have no record. The batch that makes the images visible also deletes the note. A note whose lease has run
 * out belongs to a clone that died, and everything stored under its UUIDs is removed. So an image exists whole or not at
 * all.
 */

import { ApiError } from '#lib/api/errors/api-error.ts';
import { isHeldBy, LeaseKeeper, LeaseLostError } from '#lib/documents/lease.ts';
import type { Bucket, Stored, Write } from '#lib/documents/store.ts';
import { isConflict } from '#lib/documents/update.ts';
import { imageObjectDirectory } from '#lib/manifest/object-paths.ts';
import { lasts } from '#lib/runtime/clock.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import type { Service } from '../../service/service.ts';

interface CloneNote {
  /** UUIDs of the images that the clone creates. */
  readonly images: readonly string[];
  /** Milliseconds since the epoch: the end of the lease, or of the wait before the second clean-up. */
  readonly until: number;
  /** The process that makes the clone; absent once it is given up. */
  readonly worker?: string;
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
/** Milliseconds. A process that slept through the end of its lease may place one more object when it wakes up. */
const SECOND_LOOK_MS = 3_600_000;

export interface CloneJournal {
  /** Aborts with a {@link LeaseLostError} when another process has given the clone up, or may do so. */
  readonly signal: AbortSignal;
  /** Ends the renewals; returns the write that belongs in the batch with the images. */
  end(): Promise<Write>;
  /** Removes what was placed, unless the images have become visible after all. */
  undo(): Promise<void>;
}

/** @param images new UUIDs */
export async function openJournal(service: Service, images: readonly string[]): Promise<CloneJournal> {
  const key = images.at(-1) ?? '';
  const { worker } = service;
  let note: CloneNote = { images, until: service.store.now() + LEASE_MS, worker, undone: false, rev: 1 };
  let etag = await put(service, key, note, null);
  const keeper = new LeaseKeeper({
    clock: service.store,
    everyMs: LEASE_MS / RENEWALS,
    lease: () => ({ worker, until: note.until }),
    async renew() {
      const renewed = { ...note, until: service.store.now() + LEASE_MS, rev: note.rev + 1 };
      etag = await put(service, key, renewed, etag).catch((cause: unknown) => {
        throw isConflict(cause) ? new LeaseLostError('another process gave the clone up', { cause }) : cause;
      });
      note = renewed;
    },
    onMissed: (error) => service.log.warn({ err: error, images }, 'could not renew the lease of a clone'),
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
        service.log.warn({ err: error, images }, 'could not undo a failed clone; the clean-up task will');
      }
    },
  };
}

/** The task: removes what dead clones left behind. Returns how many clones there were. */
export async function undoAbandonedClones(service: Service): Promise<number> {
  let count = 0;
  await forEachInTurn(service.store.scan(CLONES, {}), async (found) => {
    // Read the clock after the notes: a lease renewed in between would otherwise seem to end later than a lease can.
    const now = service.store.now();
    const abandoned = found.filter(({ value: { worker, until, undone } }) =>
      undone ? !lasts(until, SECOND_LOOK_MS, now) : !isHeldBy(worker, until, LEASE_MS, now),
    );
    count += abandoned.length;
    await forEachInTurn(abandoned, (stored) => undoStored(service, stored));
  });
  return count;
}

async function undoStored(service: Service, { key, value, etag }: Stored<CloneNote>): Promise<void> {
  const wait = value.undone ? 0 : SECOND_LOOK_MS;
  await undo(service, key, { ...value, rev: value.rev + 1 }, etag, wait);
  service.log.info({ images: value.images }, 'removed what a dead clone left behind');
}

/** Fences the note before removing bytes: a process that is still working on the clone can then no longer commit it. */
async function undo(service: Service, key: string, note: CloneNote, etag: string, wait: number): Promise<void> {
  let fenced: string;
  try {
    const { worker: _worker, ...rest } = note;
    fenced = await put(service, key, { ...rest, undone: true, until: service.store.now() + wait }, etag, true);
  } catch (error) {
    // The images are visible, or another process is undoing the clone.
    if (isConflict(error)) return;
    throw error;
  }
  await forEachInTurn(service.storages, async (storage) => {
    for (const image of note.images) await storage.removeTree(imageObjectDirectory(image));
  });
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

export function givenUp(cause: unknown): ApiError {
  return new ApiError('Conflict', 'the clone took too long, and another process gave it up; clone the image again', {
    cause,
  });
}
