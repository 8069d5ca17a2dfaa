/** How much of a copy is there. */
import { bytes } from './format.js';
import { html } from './html.js';
import { State } from './images-view.js';

/**
 * @param {{ label: string, part: { state: string, bytes_done: number, bytes_total: number, rate: number, attempt?: number,
 *   note?: string, error?: { code: string, message: string } } }} props
 */
export function Bar({ label, part: { state, bytes_done: done, bytes_total: total, rate, attempt, note, error } }) {
  const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
  return html`
    <div class="bar">
      <span>${label} <${State} state=${state} /></span>
      <progress max="100" value=${percent} aria-label=${`${label}: bytes that are here`}></progress>
      <span class="quiet">
        ${percent} %, ${bytes(done)} of ${bytes(total)}${rate > 0 && `, ${bytes(rate)}/s`}${(attempt ?? 0) > 1 && `, attempt ${attempt}`}
      </span>
      ${note && html`<span class="quiet">${note}</span>`}
      ${error && state !== 'succeeded' && html`<span class="problem">${error.code}: ${error.message}</span>`}
    </div>`;
}
