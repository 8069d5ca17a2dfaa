/** Asks for what a view shows: once, or again and again while it is looked at. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { html } from './html.js';

/**
 * @template T
 * @typedef {{ value: T | undefined, error: Error | undefined, reload: () => void }} Loaded
 */

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {readonly unknown[]} on what `load` depends on
 * @param {number} [everyMs] absent: once
 * @returns {Loaded<T>}
 */
export function useLoaded(load, on, everyMs) {
  const [state, setState] = useState(
    /** @type {{ key: string, value?: T | undefined, error?: Error | undefined }} */ ({ key: '' }),
  );
  const [turn, setTurn] = useState(0);
  const key = JSON.stringify(on);
  useEffect(() => {
    const gone = new AbortController();
    let timer = 0;
    const run = async () => {
      try {
        const value = await load(gone.signal);
        if (!gone.signal.aborted) setState({ key, value });
      } catch (error) {
        if (gone.signal.aborted) return;
        setState((before) => ({ ...(before.key === key && before), key, error: /** @type {Error} */ (error) }));
      }
      if (everyMs !== undefined && !gone.signal.aborted) timer = window.setTimeout(next, everyMs);
    };
    // A page that nobody looks at asks for nothing.
    const next = () => {
      if (document.hidden) timer = window.setTimeout(next, 1000);
      else void run();
    };
    void run();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [key, turn, everyMs]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const isCurrent = state.key === key;
  return { value: isCurrent ? state.value : undefined, error: isCurrent ? state.error : undefined, reload };
}

/** @param {{ of: Pick<Loaded<unknown>, 'value' | 'error'> }} props */
export function Status({ of: { value, error } }) {
  if (error) return html`<p class="problem" role="alert">${error.message}</p>`;
  return value === undefined ? html`<p class="quiet" role="status">Loading …</p>` : null;
}
