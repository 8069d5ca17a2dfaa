/** The list of images: filters, and pages as the server has them. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, askEarly } from './api.js';
import { day, sizeOf } from './format.js';
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';
import { hrefOf } from './route.js';

const PAGE = '50';
const STATES = ['active', 'all', 'unactivated', 'disabled', 'creating', 'copying', 'failed'];
const SYSTEMS = ['smartos', 'linux', 'windows', 'bsd', 'illumos', 'other'];
const TYPES = ['zone-dataset', 'lx-dataset', 'lxd', 'zvol', 'docker', 'other'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @param {Readonly<Record<string, string>>} query */
function asked({ name, os, type, state, owner, channel, after }) {
  return {
    ...{ sort: 'published_at.desc', limit: PAGE, os, type, state, owner, channel, after },
    name: name ? `~${name}` : undefined,
  };
}

/** The list does not depend on what the server says of itself. @param {Readonly<Record<string, string>>} query */
export function askForImages(query) {
  askEarly('images', asked(query));
}

/** @param {{ query: Readonly<Record<string, string>>, settings: import('./api.js').Settings }} props */
export function ImagesView({ query, settings }) {
  const list = useLoaded(
    async (signal) => {
      const { value, next } = await ask('images', { query: asked(query), signal });
      return { images: /** @type {import('./api.js').Image[]} */ (value), next };
    },
    [query],
  );
  const { images, next } = list.value ?? {};
  const after = next && new URLSearchParams(next).get('after');
  const { after: _, ...filters } = query;
  return html`
    <h1>${settings.mode === 'public' ? 'Image catalogue' : 'Images'}</h1>
    <${Filters} query=${filters} settings=${settings} key=${JSON.stringify(filters)} />
    <${Status} of=${list} />
    ${images?.length === 0 && html`<p class="quiet" role="status">No image matches.</p>`}
    ${images && images.length > 0 && html`<${Table} images=${images} settings=${settings} />`}
    <nav class="pages" aria-label="Pages">
      ${query['after'] && html`<a href=${hrefOf(['images'], filters)}>Newest</a>`}
      ${after && html`<a rel="next" href=${hrefOf(['images'], { ...filters, after })}>Older</a>`}
    </nav>`;
}

/** @param {{ images: import('./api.js').Image[], settings: import('./api.js').Settings }} props */
function Table({ images, settings }) {
  const isOperators = settings.operator && settings.mode === 'dc';
  return html`
    <table class="list">
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
              <th scope="row"><a href=${hrefOf(['images', image.uuid])}>${image.name}</a></th>
              <td>${image.version}${isDeprecated(image) && html` <span class="state">deprecated</span>`}</td>
              <td class="wide">${image.os}</td>
              <td class="wide">${image.type}</td>
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

/** @param {{ state: string }} props */
export function State({ state }) {
  return html`<span class=${`state ${state}`}>${state}</span>`;
}

/** Filters count when somebody stops typing; they are in the address, so that they can be kept. */
/** @param {{ query: Record<string, string>, settings: import('./api.js').Settings }} props */
function Filters({ query, settings }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const [problem, setProblem] = useState('');
  const apply = () => {
    if (!form.current) return;
    const entries = [...new FormData(form.current)].map(([name, value]) => [name, String(value).trim()]);
    /** @type {Record<string, string>} */
    const given = Object.fromEntries(entries);
    const name = given['name'] ?? '';
    if (UUID.test(name)) {
      location.hash = hrefOf(['images', name]);
      return;
    }
    const owner = given['owner'] ?? '';
    if (owner !== '' && !UUID.test(owner)) {
      setProblem('An owner is named by the UUID of the account.');
      return;
    }
    location.hash = hrefOf(['images'], given);
  };
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const isTyping = event.target instanceof Element && event.target.matches('input, select, textarea');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      form.current?.querySelector('input')?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    apply();
  };
  /** @param {string} name @param {string} label @param {readonly string[]} values @param {string} [none] */
  const choice = (name, label, values, none = 'any') => html`
    <label>${label}
      <select name=${name} onChange=${apply} value=${query[name] ?? ''}>
        <option value="">${none}</option>
        ${values.map((value) => html`<option value=${value} selected=${query[name] === value}>${value}</option>`)}
      </select>
    </label>`;
  return html`
    <form class="filters" role="search" ref=${form} onSubmit=${onSubmit}>
      <label class="grow">Name or UUID
        <input name="name" type="search" value=${query['name'] ?? ''} autocomplete="off" placeholder="press / to search" />
      </label>
      ${choice('os', 'System', SYSTEMS)} ${choice('type', 'Type', TYPES)}
      ${settings.operator && choice('state', 'State', STATES.slice(1), 'active')}
      ${
        settings.channels &&
        choice(
          'channel',
          'Channel',
          settings.channels.map(({ name }) => name),
          'default',
        )
      }
      ${
        settings.operator &&
        html`<label>Owner <input name="owner" value=${query['owner'] ?? ''} autocomplete="off" placeholder="UUID" /></label>`
      }
      <button type="submit">Search</button>
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    </form>`;
}
