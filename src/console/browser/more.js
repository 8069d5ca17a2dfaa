/** More of a list that has no pages: the newest are shown, and as many more as somebody wants. */
import { html } from './html.js';

/** How many are asked for at first. */
export const LISTED = 50;
const STEPS = [LISTED, 200, 1000];

/** @param {{ count: number, limit: number, onMore: (limit: number) => void }} props `count`: as many are there */
export function More({ count, limit, onMore }) {
  if (count < limit) return null;
  const next = STEPS.find((step) => step > limit);
  return next === undefined
    ? html`<p class="quiet">These are the newest ${limit}.</p>`
    : html`<p><button type="button" class="second" onClick=${() => onMore(next)}>Older ones too</button></p>`;
}
