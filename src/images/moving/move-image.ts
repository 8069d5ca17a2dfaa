/**
 * Moves the files and the icon of an image to another store, one after the other. Each is copied there and compared with
 * its record; then the record looks for it there, in one step; then the bytes in the old store are former ones, which go
 * when nobody reads them any more. So the image can be read all the time, and a crash leaves each object in one of both.
 */
import { ApiError, imageNotFound, validationFailed } from '#lib/api/errors/api-error.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import { forEachInTurn } from '#lib/runtime/each.ts';
import { pause } from '#lib/runtime/timers.ts';
import type { Service } from '../../service/service.ts';
import { assertFilePlacementSettled } from '../files/file-placement.ts';
import { assertNotPlaceholder } from '../record/access.ts';
import type { ChangeRequest } from '../record/change.ts';
import { loadImage, loadRaw, type StoredImage } from '../record/load.ts';
import { abandonedMoves, endAbandonedMove, holdMove } from './move-note.ts';
import { type MovingObject, moveObject, ObjectReplacedError } from './move-object.ts';

interface MoveSignals {
  /** Of the caller. It only ends the wait for somebody else's move. */
  readonly caller: AbortSignal;
  /** Ends the work, for another process to go on. */
  readonly stop: AbortSignal;
}

export interface MoveOptions extends MoveSignals {
  /** Whether nobody waits for an answer: then it is tried again later while a store is down. */
  readonly isResumed?: boolean;
  /** Whether also an image is moved that is deleted and can still be restored. */
  readonly evenDeleted?: boolean;
}

/** How often a file may be replaced while it is being moved. */
const MOST_ROUNDS = 5;
const POLL_MS = 500;

/**
 * Returns the image when all its objects lie in the target, whoever moved them.
 * @throws 404; 422 without a file; 409 ImageFileBusy while it is being moved elsewhere or gets a file; 503; 507
 */
export async function moveImage(
  service: Service,
  request: ChangeRequest,
  target: ObjectStore,
  { caller, stop, isResumed = false, evenDeleted = false }: MoveOptions,
): Promise<StoredImage> {
  const { uuid } = request;
  for (let round = 1; ; ) {
    const stored = (await loadImage(service, uuid)) ?? (evenDeleted ? await keptImage(service, uuid) : undefined);
    if (!stored) throw imageNotFound(uuid);
    const isDeleted = stored.value.kept !== undefined;
    const objects = elsewhere(stored.value, target.name);
    if (objects.length === 0) {
      await endAbandonedMove(service, uuid);
      return stored;
    }
    const move = await holdMove(service, uuid, target.name);
    if (!move) {
      await pause(POLL_MS, AbortSignal.any([caller, stop]));
      continue;
    }
    const signal = AbortSignal.any([move.signal, stop]);
    let isOver = true;
    try {
      await service.faults.reach('move:claimed');
      // A placement that its process left is undone first: that discards the session whose bytes are taken over here.
      await assertFilePlacementSettled(service, uuid);
      for (const object of objects) await moveObject(service, { request, isDeleted, object, target, move, signal });
    } catch (error) {
      isOver = !(signal.aborted || (isResumed && isPassing(error)));
      if (!(error instanceof ObjectReplacedError)) throw error;
      if (round++ === MOST_ROUNDS) throw new ApiError('ImageFileBusy', error.message, { cause: error });
    } finally {
      await move.release(isOver);
    }
  }
}

async function keptImage(service: Service, uuid: string): Promise<StoredImage | undefined> {
  const stored = await loadRaw(service, uuid);
  return stored?.value.kept && stored;
}

/** Whether the move may still succeed later. Nobody waits for a resumed one, so nobody else would try again. */
function isPassing(error: unknown): boolean {
  return !(error instanceof ApiError) || error.code === 'ImageFileBusy';
}

/** The objects that are not in that store. @throws 422, 409 for a placeholder */
function elsewhere(record: ImageRecord, stor: string): MovingObject[] {
  if (!record.kept) assertNotPlaceholder(record);
  const { files = [], icon, uuid } = record;
  if (files.length === 0) throw validationFailed('files', `image "${uuid}" has no file to move`, 'MissingParameter');
  const objects: MovingObject[] = files.map((file, index) => ({
    name: index === 0 ? 'file0' : 'file1',
    kind: 'file',
    index,
    file,
  }));
  if (icon) objects.push({ name: 'icon', kind: 'icon', file: icon });
  return objects.filter(({ file }) => file.stor !== stor);
}

/** The task: goes on with the moves of processes that died or stopped. Returns how many there were. */
export async function resumeMoves(service: Service, stop: AbortSignal): Promise<number> {
  let count = 0;
  await forEachInTurn(abandonedMoves(service), async ([uuid, to]) => {
    stop.throwIfAborted();
    count++;
    const target = service.storages.find(to);
    if (target && (await loadRaw(service, uuid))) {
      await moveImage(service, { uuid, viewer: { account: undefined } }, target, {
        caller: stop,
        stop,
        isResumed: true,
        evenDeleted: true,
      });
      service.log.info({ image: uuid, to }, 'finished the move of an image that a process left');
    } else await (await holdMove(service, uuid, to))?.release(true);
  });
  return count;
}
