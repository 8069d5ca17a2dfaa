/** Buttons that change something, and say so when that fails. */
import { useRef, useState } from 'preact/hooks';
import { html } from './html.js';
import { Words } from './loading.js';

/**
 * @param {{ label: string, of?: string, disabled?: boolean, isQuiet?: boolean, act: () => Promise<unknown>, onDone: () => void }} props `of`: what is acted on, for
 *   those who hear the button without seeing where it stands
 */
export function Act({ label, of, disabled = false, isQuiet = false, act, onDone }) {
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState(/** @type {Error | undefined} */ (undefined));
  const run = async () => {
    if (isBusy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
      // The button may go with what it has done: the keyboard goes on from what it was part of.
      const part = button.current?.closest('[tabindex="-1"]');
      if (part instanceof HTMLElement && part.contains(document.activeElement)) part.focus({ preventScroll: true });
      onDone();
    } catch (error) {
      setProblem(/** @type {Error} */ (error));
    } finally {
      setBusy(false);
    }
  };
  // One that is disabled while it is busy would lose the focus.
  return html`
    <button ref=${button} type="button" class=${isQuiet ? 'second' : undefined} disabled=${disabled} aria-disabled=${isBusy || undefined}
      onClick=${run} aria-label=${of ? `${label}: ${of}` : undefined}>${label}</button>
    ${problem && html`<span class="problem" role="alert"><${Words} of=${problem} /></span>`}`;
}
