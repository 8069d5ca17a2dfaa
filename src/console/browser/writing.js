/** Buttons that change something, and say so when that fails. */
import { useState } from 'preact/hooks';
import { html } from './html.js';

/**
 * @param {{ label: string, of?: string, disabled?: boolean, isQuiet?: boolean, act: () => Promise<unknown>, onDone: () => void }} props `of`: what is acted on, for
 *   those who hear the button without seeing where it stands
 */
export function Act({ label, of, disabled = false, isQuiet = false, act, onDone }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = async () => {
    setBusy(true);
    setProblem('');
    try {
      await act();
      onDone();
    } catch (error) {
      setProblem(/** @type {Error} */ (error).message);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <button type="button" class=${isQuiet ? 'second' : undefined} disabled=${isBusy || disabled} onClick=${run} aria-label=${of ? `${label}: ${of}` : undefined}>${label}</button>
    ${problem && html`<span class="problem" role="alert">${problem}</span>`}`;
}
