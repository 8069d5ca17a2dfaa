import { SessionGoneError } from '../errors.ts';
import type { Manta } from './manta.ts';
import { removeStaged, unlinkIfThere } from './staged.ts';

/**
 * Tells the register of a piece that was staged. If the session was discarded meanwhile, by somebody who may not have seen
 * the piece, it is removed again; then the answer is false.
 */
export async function noteStaged(manta: Manta, session: string, piece: string, size: number): Promise<boolean> {
  if (await noteSize(manta, session, size)) return true;
  await unlinkIfThere(manta.names, piece);
  await removeStaged(manta, session);
  return false;
}

/** False if the session was discarded. */
export async function noteSize({ register }: Manta, session: string, size: number): Promise<boolean> {
  try {
    await register.update(session, ({ state }) => {
      if (state.gone) throw new SessionGoneError(session);
      return { size };
    });
    return true;
  } catch (error) {
    if (error instanceof SessionGoneError) return false;
    throw error;
  }
}
