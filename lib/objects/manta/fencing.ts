/**
 * Of a commit and a discard exactly one happens, whichever processes make them. They meet in the register: a commit says
 * there that its bytes may become an object at any moment now, and for how long at the most; a discard that finds this
 * waits until it has happened or cannot happen any more. Before, it says that the session is gone, and no commit begins.
 */
import { lasts } from '../../runtime/clock.ts';
import { pause } from '../../runtime/timers.ts';
import { SessionGoneError } from '../errors.ts';
import type { Manta, SessionState } from './manta.ts';
import { abortUpload, removeStaged } from './staged.ts';

/** Milliseconds for which a commit may place its bytes. */
const PLACING = 90_000;
/** Milliseconds without an answer after which it is given up: well before others may take it for dead. */
export const PLACING_TIMEOUT = 40_000;
const POLL = 100;

class PlacingError extends Error {
  override readonly name = 'PlacingError';
}

/** To be called right before the step that makes an object. @throws SessionGoneError */
export async function beginPlacing({ register, clock }: Manta, session: string): Promise<void> {
  await register.update(session, ({ state }) => {
    if (state.gone) throw new SessionGoneError(session);
    return { state: { ...state, placingUntil: clock.now() + PLACING } };
  });
}

/** After a step that certainly made no object. */
export async function endPlacing({ register }: Manta, session: string): Promise<void> {
  await register.update(session, ({ state: { placingUntil: _, ...state } }) => ({ state }));
}

/** Makes a later commit impossible and removes what is staged; may be called again. */
export async function discardSession(manta: Manta, session: string): Promise<void> {
  const state = await fence(manta, session);
  if (state === undefined) return;
  await abortUpload(manta, state);
  await removeStaged(manta, session);
  await manta.register.remove(session);
}

/** Undefined if there is no such session any more. */
async function fence({ register, clock }: Manta, session: string): Promise<SessionState | undefined> {
  for (;;) {
    try {
      const { state } = await register.update(session, ({ state }) => {
        if (lasts(state.placingUntil ?? 0, PLACING, clock.now())) throw new PlacingError();
        return { state: { ...state, gone: true } };
      });
      return state;
    } catch (error) {
      if (error instanceof SessionGoneError) return undefined;
      if (!(error instanceof PlacingError)) throw error;
    }
    await pause(POLL);
  }
}
