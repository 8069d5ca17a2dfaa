/** Other versions of an image: those of the same owner and name. */
import { anywhere, ask } from './api.js';
import { day, sizeOf } from './format.js';
import { html } from './html.js';
import { useLoaded, Words } from './loading.js';
import { hrefOf } from './route.js';
import { State } from './state.js';

const LISTED = 10;

/** @typedef {import('./api.js').Image} Image */

/** @param {{ image: Image, settings: import('./api.js').Settings }} props */
export function Versions({ image: { uuid, name, owner }, settings }) {
  const loaded = useLoaded(
    async (signal) => {
      const query = {
        ...anywhere(settings),
        ...{ name, owner, sort: 'published_at.desc', limit: String(LISTED + 1) },
        ...(settings.operator && { state: 'all' }),
      };
      // That would be a part of a name.
      if (name.startsWith('~')) return [];
      return /** @type {Image[]} */ ((await ask('images', { query, signal })).value);
    },
    [uuid, name, owner],
  );
  const { value: all = [], error } = loaded;
  const others = all.filter((other) => other.uuid !== uuid).slice(0, LISTED);
  if (error) return html`<h2>Other versions</h2><p class="problem"><${Words} of=${error} /></p>`;
  if (others.length === 0) return null;
  return html`
    <h2>Other versions</h2>
    <ul class="shares">
      ${others.map(
        (other) => html`
          <li key=${other.uuid}>
            <a href=${hrefOf(['images', other.uuid])}>${other.version}</a>
            <span class="quiet"> ${day(other.published_at)} ${sizeOf(other)}</span>
            ${settings.operator && other.state !== 'active' && html` <${State} state=${other.state} />`}
          </li>`,
      )}
    </ul>
    ${all.length > LISTED && html`<p><a href=${hrefOf(['images'], { name })}>All of this name</a></p>`}`;
}
