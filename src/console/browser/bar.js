/** How much of a copy is there. */
import { bytes } from './format.js';
import { html } from './html.js';
import { State } from './state.js';

/**
 * @typedef {{ state: string, bytes_done: number, bytes_total: number, rate: number, attempt?: number, tries?: number,
 *   note?: string, error?: { code: string, message: string } }} Part
 */

/** @param {{ label: string, part: Part }} props */
export function Bar({ label, part }) {
  const { state, note, error } = part;
  const percent = percentOf(part);
  return html`
    <div class="bar">
      <span><bdi>${label}</bdi> <${State} state=${state} /></span>
      ${
        percent === undefined
          ? html`<span class="quiet">${state === 'waiting' ? 'It has not taken the order yet.' : ''}</span>`
          : html`<progress max="100" value=${percent} aria-label=${`${label}: bytes that are here`}></progress>`
      }
      <span class="quiet">${said(part, percent)}</span>
      ${note && html`<span class="quiet more">${note}</span>`}
      ${error && state !== 'succeeded' && html`<span class="problem more">${error.code}: ${error.message}</span>`}
    </div>`;
}

/** Undefined while nobody knows how much it will be. @param {Part} part */
function percentOf({ state, bytes_done: done, bytes_total: total }) {
  if (state === 'received' || state === 'verified') return 100;
  return total > 0 ? Math.floor((100 * done) / total) : undefined;
}

/** @param {Part} part @param {number | undefined} percent */
function said({ state, bytes_done: done, bytes_total: total, rate, attempt = 0, tries = 0 }, percent) {
  const words = [];
  // All of it is there: what is left is not a question of bytes.
  if (state === 'received' || state === 'verified') words.push(`${bytes(total)}, verified`);
  else if (percent !== undefined) words.push(`${percent} %, ${bytes(done)} of ${bytes(total)}`);
  if (rate > 0) words.push(`${bytes(rate)}/s`);
  if (attempt > 1) words.push(`attempt ${attempt}`);
  if (tries > 0 && state !== 'failed') words.push(tries === 1 ? 'asked once' : `asked ${tries} times`);
  return words.join(', ');
}
