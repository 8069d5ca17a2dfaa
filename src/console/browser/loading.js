/** Asks for what a view shows: once, or again and again while it is looked at. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { html } from './html.js';

/** Who waits longer is told that it goes on. */
const LONG_MS = 3000;

/**
 * @template T
 * @typedef {{ value: T | undefined, before: T | undefined, error: Error | undefined, reload: () => void }} Loaded `before`:
 *   what was there last, be it of something else that was asked for
 */

/**
 * @template T
 * @param {(signal: AbortSignal) => Promise<T>} load
 * @param {readonly unknown[]} on what `load` depends on
 * @param {number} [everyMs] absent: once
 * @param {() => T | undefined} [already] what is here before anything is loaded: it is drawn at once
 * @returns {Loaded<T>}
 */
export function useLoaded(load, on, everyMs, already) {
  const key = JSON.stringify(on);
  const [state, setState] = useState(() => {
    const value = already?.();
    return /** @type {{ key: string, value?: T | undefined, error?: Error | undefined }} */ (
      value === undefined ? { key: '' } : { key, value }
    );
  });
  const [turn, setTurn] = useState(0);
  const isHere = useRef(state.key === key);
  useEffect(() => {
    if (isHere.current) {
      isHere.current = false;
      return;
    }
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
  const { value, error } = state.key === key ? state : {};
  return { value, before: state.value, error, reload };
}

/** @param {{ of: Pick<Loaded<unknown>, 'value' | 'error'> }} props */
export function Status({ of: { value, error } }) {
  const isWaiting = value === undefined && !error;
  const isLate = useLate(isWaiting);
  if (error) return html`<p class="problem" role="alert"><${Words} of=${error} /></p>`;
  return isWaiting
    ? html`<p class="quiet" role="status">Loading …${isLate && ' The server takes its time.'}</p>`
    : null;
}

/** @param {boolean} isWaiting */
function useLate(isWaiting) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    const timer = isWaiting ? window.setTimeout(() => setLate(true), LONG_MS) : 0;
    return () => clearTimeout(timer);
  }, [isWaiting]);
  return isLate;
}

/** What went wrong, and what to do where that is known. @param {{ of: Error }} props */
export function Words({ of: error }) {
  return html`${error.message} ${needsLogIn(error) && html`<${HowToLogIn} />`}`;
}

/** Nobody is logged in any more, or nobody was. @param {Error & { status?: number, code?: string }} error */
function needsLogIn({ status, code }) {
  return status === 401 || code === 'OperatorOnly';
}

export function HowToLogIn() {
  return html`On the server's machine, <code>imgapiadm console-login</code> prints an address that logs a browser in.`;
}
