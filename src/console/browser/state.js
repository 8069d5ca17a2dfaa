/** A state as a small label, which is told by words as well as by its colour. */
import { html } from './html.js';

/** @param {{ state: string, label?: string }} props `label`: where it is said in other words */
export function State({ state, label = state }) {
  return html`<span class=${`state ${state}`}>${label}</span>`;
}
