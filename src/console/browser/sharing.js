/** With whom an image is shared, where it came from, and, where the console may write, shares and copies to others. */
import { useState } from 'preact/hooks';
import { ask } from './api.js';
import { moment } from './format.js';
import { html } from './html.js';
import { useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { Act } from './writing.js';

/** @typedef {import('./api.js').Image} Image */

/** @param {{ image: Image, settings: import('./api.js').Settings, onChange: () => void }} props */
export function Sharing({ image, settings, onChange }) {
  const { uuid, acl = [] } = image;
  const [entry, setEntry] = useState('');
  /** @param {string} action @param {string} whom */
  const change = (action, whom) => ask(`images/${uuid}/acl`, { method: 'POST', query: { action }, json: [whom] });
  const onAdded = () => {
    setEntry('');
    onChange();
  };
  /** @param {any} event */
  const onSubmit = (event) => {
    event.preventDefault();
    event.currentTarget.querySelector('button').click();
  };
  return html`
    <h2>Shared with</h2>
    ${acl.length === 0 && html`<p class="quiet">Nobody.</p>`}
    <ul class="shares">
      ${acl.map(
        (whom) => html`
          <li key=${whom}>
            <code>${whom}</code>
            ${settings.write && html` <${Act} label="Unshare" isQuiet of=${whom} act=${() => change('remove', whom)} onDone=${onChange} />`}
          </li>`,
      )}
    </ul>
    ${
      settings.write &&
      html`<form class="row" onSubmit=${onSubmit} aria-label="Share the image">
        <label class="grow">Login or account UUID
          <input name="entry" value=${entry} autocomplete="off" onInput=${(/** @type {any} */ event) => setEntry(event.target.value.trim())} />
        </label>
        <${Act} label="Share" of=${entry} disabled=${entry === ''} act=${() => change('add', entry)} onDone=${onAdded} />
      </form>`
    }`;
}

/** @param {{ image: Image, settings: import('./api.js').Settings }} props */
export function Elsewhere({ image, settings }) {
  const { uuid, owner, copied_from: copied, cloned_from: cloned } = image;
  const loaded = useLoaded(
    async (signal) => {
      const datacenters = /** @type {{ name: string }[]} */ ((await ask('datacenters', { signal })).value);
      return Promise.all(
        datacenters.map(async ({ name }) => ({ name, has: await isThere(uuid, owner, name, signal) })),
      );
    },
    [uuid, owner],
  );
  return html`
    <h2>Elsewhere</h2>
    ${copied && html`<p>Copied from <b>${copied.datacenter}</b> at ${moment(copied.at)}.</p>`}
    ${cloned && html`<p>Cloned from <a href=${hrefOf(['images', cloned.uuid])}><code>${cloned.uuid}</code></a>.</p>`}
    ${loaded.error && html`<p class="problem">${loaded.error.message}</p>`}
    ${loaded.value?.length === 0 && html`<p class="quiet">No datacenter is linked.</p>`}
    <ul class="shares">
      ${loaded.value?.map(
        ({ name, has }) => html`
          <li key=${name}>
            <b>${name}</b>: ${has}
            ${settings.write && has === 'not there' && html` <${CopyTo} image=${image} datacenter=${name} />`}
          </li>`,
      )}
    </ul>`;
}

/** @param {{ image: Image, datacenter: string }} props */
function CopyTo({ image: { uuid, owner }, datacenter }) {
  const order = () =>
    ask(`images/${uuid}`, {
      method: 'POST',
      query: { action: 'copy-to-dcs', datacenters: datacenter, account: owner },
    });
  return html`<${Act} label="Copy there" isQuiet of=${datacenter} act=${order} onDone=${() => {
    location.hash = hrefOf(['copies']);
  }} />`;
}

/** What a copy from there would bring says whether it is there. @param {string} uuid @param {string} account @param {string} datacenter @param {AbortSignal} signal */
async function isThere(uuid, account, datacenter, signal) {
  try {
    await ask(`images/${uuid}/copy`, { query: { plan: 'true', datacenter, account }, signal });
    return 'has it';
  } catch (error) {
    const { status, message } = /** @type {import('./api.js').ApiError} */ (error);
    return status === 404 ? 'not there' : message;
  }
}
