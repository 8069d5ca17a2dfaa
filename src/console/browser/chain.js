/** What an image builds on, as a picture: the base on the left, the image on the right. */
import { useEffect, useRef } from 'preact/hooks';
import { anywhere, ask } from './api.js';
import { sizeOf } from './format.js';
import { html } from './html.js';
import { useLoaded, Words } from './loading.js';
import { hrefOf } from './route.js';

const WIDTH = 180;
const HEIGHT = 64;
const GAP = 40;
const LONGEST = 22;

/** @param {{ image: import('./api.js').Image, settings: import('./api.js').Settings }} props */
export function Chain({ image, settings }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const { uuid, origin } = image;
  const ancestry = useLoaded(
    async (signal) => {
      if (!origin) return [];
      const { value } = await ask(`images/${uuid}/ancestry`, { query: anywhere(settings), signal });
      return /** @type {import('./api.js').Image[]} */ (value);
    },
    [uuid, origin],
  );
  const { value: members, error } = ancestry;
  // Where not all of it fits, the image itself is in sight.
  useEffect(() => place.current?.scrollTo({ left: place.current.scrollWidth }), [members]);
  if (!origin) return html`<h2>Chain of origins</h2><p class="quiet">It builds on no other image.</p>`;
  if (error) return html`<h2>Chain of origins</h2><p class="problem"><${Words} of=${error} /></p>`;
  if (!members) return null;
  const chain = members.toReversed();
  const oldest = chain[0]?.origin;
  const width = chain.length * (WIDTH + GAP) - GAP + 2;
  return html`
    <h2>Chain of origins</h2>
    ${oldest && html`<p class="quiet">It goes on with <code>${oldest}</code>, which is not here.</p>`}
    <div class="chain" ref=${place} tabindex="0" role="group" aria-label="Chain of origins, base first">
      <svg width=${width} height=${HEIGHT + 2} viewBox=${`0 0 ${width} ${HEIGHT + 2}`}>
        ${chain.map((member, index) => html`<${Member} key=${member.uuid} member=${member} index=${index} isThis=${member.uuid === uuid} />`)}
      </svg>
    </div>`;
}

/** @param {{ member: import('./api.js').Image, index: number, isThis: boolean }} props */
function Member({ member, index, isThis }) {
  const x = index * (WIDTH + GAP) + 1;
  const middle = HEIGHT / 2 + 1;
  return html`
    <g>
      ${index > 0 && html`<path class="arrow" d=${`M${x - GAP} ${middle} H${x - 4} m-7 -5 l7 5 l-7 5`} />`}
      <a href=${hrefOf(['images', member.uuid])} aria-current=${isThis ? 'true' : undefined}>
        <title>${member.name} ${member.version}</title>
        <rect class=${isThis ? 'member this' : 'member'} x=${x} y="1" width=${WIDTH} height=${HEIGHT} rx="6" />
        <text x=${x + 12} y="27">${shortened(member.name)}</text>
        <text class="second" x=${x + 12} y="49">${shortened(`${member.version}, ${sizeOf(member)}`)}</text>
      </a>
    </g>`;
}

/** @param {string} text */
function shortened(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}
