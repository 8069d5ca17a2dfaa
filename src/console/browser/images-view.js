/** The list of images, in pages as the server has them. */
import { answered, ask, askEarly, standardChannel } from './api.js';
import { day, sizeOf } from './format.js';
import { html } from './html.js';
import { Filters } from './image-filters.js';
import { Status, useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { State } from './state.js';

const PAGE = '50';

/** @typedef {import('./api.js').Settings} Settings */

/** @param {Readonly<Record<string, string>>} query */
function asked({ name, os, type, state, owner, channel, after }) {
  return {
    ...{ sort: 'published_at.desc', limit: PAGE, os, type, state, owner, channel, after },
    name: name ? `~${name}` : undefined,
  };
}

/** The list hardly depends on what the server says of itself. @param {Readonly<Record<string, string>>} query */
export function askForImages(query) {
  return askEarly('images', asked(query));
}

/** @param {import('./api.js').Answer} answer */
function listOf({ value, next }) {
  return { images: /** @type {import('./api.js').Image[]} */ (value), next };
}

/** @param {{ query: Readonly<Record<string, string>>, settings: Settings }} props */
export function ImagesView({ query, settings }) {
  const { after: marker, ...filters } = query;
  const wanted = asked({ ...always(settings), ...query });
  const list = useLoaded(
    async (signal) => listOf(await ask('images', { query: wanted, signal })),
    [query],
    undefined,
    () => {
      const answer = answered('images', wanted);
      return answer && listOf(answer);
    },
  );
  // What is there stays until the next is: nothing jumps.
  const { images, next } = list.value ?? (list.error ? undefined : list.before) ?? {};
  const after = next && new URLSearchParams(next).get('after');
  const isFiltered = marker !== undefined || Object.values(filters).some((value) => value !== '');
  return html`
    <h1>${settings.mode === 'public' ? 'Image catalogue' : 'Images'}</h1>
    <${Filters} query=${filters} settings=${settings} />
    ${list.value ? html`<${Count} count=${list.value.images.length} isAll=${!after} isFiltered=${isFiltered} settings=${settings} />` : html`<${Status} of=${list} />`}
    ${images && images.length > 0 && html`<${Table} images=${images} settings=${settings} isOld=${!list.value} />`}
    <nav class="pages" aria-label="Pages">
      ${marker && html`<a href=${hrefOf(['images'], filters)}>Newest</a>`}
      ${after && html`<a rel="next" href=${hrefOf(['images'], { ...filters, after })}>Older</a>`}
    </nav>`;
}

/** A server whose channels have no default one has to be told which. @param {Settings} settings @returns {Record<string, string>} */
function always(settings) {
  return settings.channels && standardChannel(settings) === undefined ? { channel: '*' } : {};
}

/** @param {{ count: number, isAll: boolean, isFiltered: boolean, settings: Settings }} props */
function Count({ count, isAll, isFiltered, settings }) {
  if (count > 0) {
    const images = count === 1 ? '1 image' : `${count} images`;
    return html`<p class="quiet" role="status">${isAll ? images : `${images}, newest first; there are older ones`}</p>`;
  }
  return html`
    <p class="quiet" role="status">
      ${isFiltered ? 'No image matches.' : 'There is no image here yet.'}
      ${!isFiltered && settings.operator && html` <code>imgapiadm import</code> brings one from another image server.`}
    </p>`;
}

/** @param {{ images: import('./api.js').Image[], settings: Settings, isOld: boolean }} props `isOld`: another list is on its way */
function Table({ images, settings, isOld }) {
  const isOperators = settings.operator && settings.mode === 'dc';
  return html`
    <table class="list" aria-busy=${isOld}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Version</th>
          <th scope="col" class="wide">System</th>
          <th scope="col" class="wide">Type</th>
          ${isOperators && html`<th scope="col" class="wide">Owner</th>`}
          <th scope="col" class="number wide">Size</th>
          <th scope="col" class=${settings.operator ? 'wide' : undefined}>Published</th>
          ${settings.operator && html`<th scope="col">State</th>`}
        </tr>
      </thead>
      <tbody>
        ${images.map(
          (image) => html`
            <tr key=${image.uuid}>
              <th scope="row"><a href=${hrefOf(['images', image.uuid])}><bdi>${image.name}</bdi></a></th>
              <td>${image.version}${isDeprecated(image) && html` <span class="state">deprecated</span>`}</td>
              <td class="wide">${image.os}</td>
              <td class="wide word">${image.type}</td>
              ${isOperators && html`<td class="wide">${image.owner_login ?? image.owner.slice(0, 8)}</td>`}
              <td class="number wide">${sizeOf(image)}</td>
              <td class=${settings.operator ? 'date wide' : 'date'}>${day(image.published_at)}</td>
              ${settings.operator && html`<td><${State} state=${image.state} /></td>`}
            </tr>`,
        )}
      </tbody>
    </table>`;
}

/** @param {import('./api.js').Image} image */
function isDeprecated({ deprecated_at: at }) {
  return at !== undefined && Date.parse(at) <= Date.now();
}
