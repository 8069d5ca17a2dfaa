/**
 * Where commits and discards meet (see `staging/fence.ts`): a commit says in the register that its bytes may become an
 * object at any moment now, and for how long at the most.
 */
import { lasts } from '../../runtime/clock.ts';
import { SessionGoneError } from '../errors.ts';
import { fenceSession } from '../staging/fence.ts';
import { MantaError, MantaSilentError } from './failure.ts';
import type { Manta, SessionState } from './manta.ts';
import { abortUpload, removeStaged } from './staged.ts';

/** Milliseconds for which a commit may place its bytes. */
const PLACING = 90_000;
/** Milliseconds without an answer after which it is given up: well before others may take it for dead. */
export const PLACING_TIMEOUT = 40_000;

/** The attempts of a session to make its object. */
export class Placing {
  readonly #manta: Pick<Manta, 'register' | 'clock'>;
  readonly #session: string;
  #isBegun = false;
  #isInDoubt = false;

  constructor(manta: Pick<Manta, 'register' | 'clock'>, session: string) {
    this.#manta = manta;
    this.#session = session;
  }

  /** To be called right before what makes an object. @throws SessionGoneError */
  async begin(): Promise<void> {
    const { register, clock } = this.#manta;
    await register.update(this.#session, ({ state }) => {
      if (state.gone) throw new SessionGoneError(this.#session);
      return { state: { ...state, placingUntil: clock.now() + PLACING } };
    });
    this.#isBegun = true;
  }

  /** Begins, and makes one attempt. */
  async attempt<T>(step: () => Promise<T>): Promise<T> {
    await this.begin();
    return this.watch(step);
  }

  /**
   * Makes one attempt, in which the step begins. What is known of all of them counts, not of the last one alone: an earlier
   * one may still make the object.
   */
  async watch<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (error) {
      this.#isInDoubt ||= this.#isBegun && !hasMadeNothing(error);
      throw error;
    } finally {
      this.#isBegun = false;
    }
  }

  /** After the last attempt. Whoever discards the session need not wait, unless something may come of an attempt. */
  async end(): Promise<void> {
    if (this.#isInDoubt) return;
    const { register } = this.#manta;
    await register.update(this.#session, ({ state: { placingUntil: _, ...state } }) => ({ state }));
  }
}

/** What balancers answer for a Manta that they have asked, and that may be at work still. */
const BY_OTHERS: ReadonlySet<number> = new Set([408, 502, 504]);

function hasMadeNothing(error: unknown): boolean {
  if (error instanceof MantaError) return error.code !== '' || !BY_OTHERS.has(error.status);
  return error instanceof MantaSilentError && error.isUnsent;
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
