/**
 * Where commits and discards meet (see `staging/fence.ts`): a commit says in the register that its bytes may become an
 * object at any moment now, and for how long at the most.
 */
import { lasts } from '../../runtime/clock.ts';
import { SessionGoneError } from '../errors.ts';
import { fenceSession } from '../staging/fence.ts';
import type { Manta, SessionState } from './manta.ts';
import { abortUpload, removeStaged } from './staged.ts';

/** Milliseconds for which a commit may place its bytes. */
const PLACING = 90_000;
/** Milliseconds without an answer after which it is given up: well before others may take it for dead. */
export const PLACING_TIMEOUT = 40_000;

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
  const { register, clock } = manta;
  const isPlacing = ({ placingUntil = 0 }: SessionState): boolean => lasts(placingUntil, PLACING, clock.now());
  const close = (state: SessionState): SessionState => ({ ...state, gone: true });
  const entry = await fenceSession(register, session, isPlacing, close);
  if (!entry) return;
  await abortUpload(manta, entry.state);
  await removeStaged(manta, session);
  await register.remove(session);
}
