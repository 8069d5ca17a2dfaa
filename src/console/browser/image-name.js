/** An image by its name, where only its UUID is told. */
import { anywhere, ask } from './api.js';
import { html } from './html.js';
import { useLoaded } from './loading.js';
import { hrefOf } from './route.js';

/** Names do not change while a page is looked at. @type {Map<string, Promise<string>>} */
const known = new Map();

/** @param {{ uuid: string, settings: import('./api.js').Settings }} props */
export function ImageName({ uuid, settings }) {
  const { value } = useLoaded(() => nameOf(uuid, settings), [uuid]);
  return html`<a href=${hrefOf(['images', uuid])}>${value ? html`<bdi>${value}</bdi>` : html`<code>${uuid}</code>`}</a>`;
}

/** @param {string} uuid @param {import('./api.js').Settings} settings */
function nameOf(uuid, settings) {
  const before = known.get(uuid);
  if (before) return before;
  const asked = ask(`images/${uuid}`, { query: anywhere(settings) }).then(
    ({ value }) => `${value.name} ${value.version}`,
  );
  known.set(uuid, asked);
  // It may be there later.
  asked.catch(() => known.delete(uuid));
  return asked;
}
