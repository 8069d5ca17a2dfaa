import { pause } from '../../runtime/timers.ts';
import { SessionGoneError } from '../errors.ts';
import type { StagedEntry, StagingRegister } from './register.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

class CommitUnderWay extends Error {
  override readonly name = 'CommitUnderWay';
}

/**
 * Of a commit and a discard exactly one happens, whichever processes make them, because they meet in the register: this
 * notes that the session is over, so that no commit of it can begin; and where one has begun, it waits until that has
 * happened or cannot happen any more.
 * @param isPlacing whether a commit may still make an object of the bytes
 * @param close the state of a session that is over
 * @returns the entry as it is then; undefined if there is no such session any more
 */
export async function fenceSession<State extends object>(
  register: StagingRegister<State>,
  session: string,
  isPlacing: (state: State) => boolean,
  close: (state: State) => State,
): Promise<StagedEntry<State> | undefined> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
    try {
      return await register.update(session, ({ state }) => {
        if (isPlacing(state)) throw new CommitUnderWay();
        return { state: close(state) };
      });
    } catch (error) {
      if (error instanceof SessionGoneError) return undefined;
      if (!(error instanceof CommitUnderWay)) throw error;
    }
    await pause(wait);
  }
}
