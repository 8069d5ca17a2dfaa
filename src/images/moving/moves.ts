import { ApiError } from '#lib/api/errors/api-error.ts';
import type { ObjectStore } from '#lib/objects/object-store.ts';
import type { Service } from '../../service/service.ts';
import type { ChangeRequest } from '../record/change.ts';
import type { StoredImage } from '../record/load.ts';
import { moveImage } from './move-image.ts';

/** The moves that requests of this process wait for. */
export interface Moves {
  /** See {@link moveImage}. @param caller only ends the wait for somebody else's move */
  move(request: ChangeRequest, target: ObjectStore, caller: AbortSignal): Promise<StoredImage>;
  /** Answers all who wait with 503; other processes, or the next start, go on with what is under way. */
  stop(): void;
}

export function startMoves(service: Service): Moves {
  const stopping = new AbortController();
  return {
    move: (request, target, caller) => moveImage(service, request, target, { caller, stop: stopping.signal }),
    stop() {
      stopping.abort(new ApiError('ServiceUnavailable', 'this server is stopping; the image is moved all the same'));
    },
  };
}
