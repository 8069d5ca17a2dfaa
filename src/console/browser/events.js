/** What happened to one image, newest first, and who did it. */
import { useState } from 'preact/hooks';
import { ask } from './api.js';
import { bytes, moment } from './format.js';
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';

const LISTED = '20';

/**
 * @typedef {{ kind: 'account' | 'operator' | 'datacenter', account?: string, login?: string, datacenter?: string }} Actor
 * @typedef {{ fields?: string[], entries?: string[], file?: string, sha1?: string, size?: number, from?: string, to?: string,
 *   order?: string, source?: string, error?: string }} Details
 * @typedef {{ id: string, time: string, kind: string, actor: Actor, request_id?: string, details: Details }} ImageEvent
 */

/** Asks for nothing before it is opened. @param {{ uuid: string }} props */
export function Events({ uuid }) {
  const [isOpen, setOpen] = useState(false);
  return html`
    <details onToggle=${(/** @type {any} */ { currentTarget }) => setOpen(currentTarget.open)}>
      <summary>What happened</summary>
      ${isOpen && html`<${Page} key=${uuid} uuid=${uuid} />`}
    </details>`;
}

/** @param {{ uuid: string }} props */
function Page({ uuid }) {
  const [marker, setMarker] = useState(/** @type {string | undefined} */ (undefined));
  const loaded = useLoaded(
    async (signal) => {
      const { value, next } = await ask(`images/${uuid}/events`, { query: { limit: LISTED, marker }, signal });
      return { events: /** @type {ImageEvent[]} */ (value), next };
    },
    [uuid, marker],
  );
  const { events, next } = loaded.value ?? {};
  const older = next && new URLSearchParams(next).get('marker');
  return html`
    <${Status} of=${loaded} />
    ${events?.length === 0 && html`<p class="quiet">Nothing is kept of it.</p>`}
    ${
      events &&
      events.length > 0 &&
      html`<table class="list">
        <thead>
          <tr><th scope="col">Time</th><th scope="col">What</th><th scope="col">Who</th><th scope="col" class="wide">Request</th></tr>
        </thead>
        <tbody>
          ${events.map(
            ({ id, time, kind, actor, details, request_id: request }) => html`
              <tr key=${id}>
                <td>${moment(time)}</td>
                <td class="run">${kind}<br /><span class="quiet">${said(details)}</span></td>
                <td class="run">${who(actor)}</td>
                <td class="wide"><code>${request ?? ''}</code></td>
              </tr>`,
          )}
        </tbody>
      </table>`
    }
    <p class="row">
      ${marker && html`<button type="button" class="second" onClick=${() => setMarker(undefined)}>Newest</button>`}
      ${older && html`<button type="button" class="second" onClick=${() => setMarker(older)}>Older</button>`}
    </p>`;
}

/** @param {Actor} actor */
function who({ kind, account, login, datacenter }) {
  if (kind === 'datacenter') return `datacenter ${datacenter}`;
  return kind === 'operator' ? 'operator' : (login ?? account);
}

/** @param {Details} details */
function said(details) {
  return Object.entries(details)
    .map(([name, value]) => {
      if (name === 'file') return value;
      if (name === 'size') return bytes(/** @type {number} */ (value));
      return `${name} ${Array.isArray(value) ? value.join(', ') : value}`;
    })
    .join(', ');
}
