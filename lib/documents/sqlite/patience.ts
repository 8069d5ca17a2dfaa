/**
 * Waits for other processes' locks without blocking the event loop. SQLite's own busy handler blocks the thread, so it
 * is off, and a call that finds the database busy is repeated after a pause.
 */
import { pause } from '../../runtime/timers.ts';
import { StoreUnavailableError } from '../errors.ts';
import { isBusy, storeError } from './failure.ts';

/** Milliseconds after which a busy database counts as unavailable, unless configured otherwise. */
export const PATIENCE = 10_000;
const LONGEST_PAUSE = 50;

/**
 * Repeats `attempt` until it does not find the database busy.
 * @throws StoreUnavailableError after `patience` milliseconds, or when the database fails
 */
export async function patiently<T>(attempt: () => T | Promise<T>, patience: number): Promise<T> {
  const start = performance.now();
  for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isBusy(error)) {
        throw storeError(error);
      }
      if (performance.now() - start >= patience) {
        const waited = Math.round(patience / 1000);
        throw new StoreUnavailableError(`the document store was busy for ${waited} seconds`, { cause: error });
      }
    }
    // Jitter, so that two processes that collided do not collide again.
    await pause(wait * (0.5 + Math.random()));
  }
}
