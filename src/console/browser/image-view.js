/** One image: what it is, its files, what it builds on, who has it, and how to get it. */
import { useEffect, useState } from 'preact/hooks';
import { anywhere, ask } from './api.js';
import { Chain } from './chain.js';
import { Events } from './events.js';
import { bytes, moment } from './format.js';
import { HowToGet } from './how-to-get.js';
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { Sharing } from './sharing.js';
import { State } from './state.js';
import { Usage } from './usage.js';
import { Versions } from './versions.js';

/** @typedef {import('./api.js').Image} Image */

/** What is not finished is looked at again. */
const EVERY_MS = 5000;

/** @param {{ uuid: string, settings: import('./api.js').Settings }} props */
export function ImageView({ uuid, settings }) {
  const [isUnfinished, setUnfinished] = useState(false);
  const loaded = useLoaded(
    async (signal) => {
      const query = { ...anywhere(settings), ...(settings.operator && { inclAdminFields: 'true' }) };
      return /** @type {Image} */ ((await ask(`images/${encodeURIComponent(uuid)}`, { query, signal })).value);
    },
    [uuid],
    isUnfinished ? EVERY_MS : undefined,
  );
  const image = loaded.value;
  useEffect(() => {
    if (!image) return;
    setUnfinished(image.state === 'creating' || image.state === 'copying');
    document.title = `${image.name} ${image.version} · ${settings.datacenter ?? 'IMGAPI'}`;
  }, [image]);
  return html`
    <p><a href=${hrefOf(['images'])}>← All images</a></p>
    ${!image && loaded.error && html`<h1>Image <small><code>${uuid}</code></small></h1>`}
    <${Status} of=${loaded} />
    ${image && html`<${Details} image=${image} settings=${settings} onChange=${loaded.reload} />`}`;
}

/** @param {{ image: Image, settings: import('./api.js').Settings, onChange: () => void }} props */
function Details({ image, settings, onChange }) {
  const { uuid, description, homepage, error, tags, requirements } = image;
  return html`
    <h1>
      ${image.icon && html`<img class="icon" alt="" src=${`../images/${uuid}/icon${settings.channels ? '?channel=*' : ''}`} />`}
      <bdi>${image.name}</bdi> <small>${image.version}</small> <${State} state=${image.state} />
    </h1>
    ${error && html`<p class="problem">${error.code}: ${error.message}</p>`}
    ${description && html`<p class="description" dir="auto">${description}</p>`}
    <dl>
      ${image.deprecated_at && html`<${Field} name="Deprecated">${moment(image.deprecated_at)}<//>`}
      ${
        image.replaced_by &&
        html`<${Field} name="Replaced by"><a href=${hrefOf(['images', image.replaced_by])}><code>${image.replaced_by}</code></a><//>`
      }
      <${Field} name="UUID"><code>${uuid}</code><//>
      <${Field} name="System">${image.os}, ${image.type}<//>
      <${Field} name="Published">${moment(image.published_at) || 'not yet'}<//>
      ${settings.mode === 'dc' && html`<${Field} name="Owner">${image.owner_login} <code>${image.owner}</code><//>`}
      ${settings.mode === 'dc' && html`<${Field} name="Public">${image.public ? 'yes' : 'no'}<//>`}
      ${image.channels && html`<${Field} name="Channels">${image.channels.join(', ')}<//>`}
      ${homepage && html`<${Field} name="Homepage"><${Outside} url=${homepage} /><//>`}
      ${image.eula && html`<${Field} name="Licence"><${Outside} url=${image.eula} /><//>`}
      ${image.image_size && html`<${Field} name="Disk">${image.image_size} MiB<//>`}
      ${pairs(requirements).map(([name, value]) => html`<${Field} name=${`Needs ${name}`}>${value}<//>`)}
      ${pairs(tags).map(([name, value]) => html`<${Field} name=${`Tag ${name}`}>${value}<//>`)}
    </dl>
    <${Files} image=${image} />
    ${!settings.operator && html`<${HowToGet} image=${image} settings=${settings} />`}
    <${Versions} image=${image} settings=${settings} />
    <${Chain} image=${image} settings=${settings} />
    ${settings.operator && settings.mode === 'dc' && html`<${Sharing} image=${image} settings=${settings} onChange=${onChange} />`}
    ${settings.operator && html`<${Usage} image=${image} settings=${settings} />`}
    ${settings.operator && html`<${Events} uuid=${uuid} />`}
    <details>
      <summary>Manifest</summary>
      <pre tabindex="0">${JSON.stringify(image, null, 2)}</pre>
    </details>`;
}

/** @param {Record<string, unknown> | undefined} record @returns {[string, string][]} */
function pairs(record) {
  return Object.entries(record ?? {}).map(([name, value]) => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
}

/** @param {{ name: string, children?: unknown }} props */
function Field({ name, children }) {
  return html`<div><dt>${name}</dt><dd>${children}</dd></div>`;
}

/** Only what is a link of the web leads anywhere. @param {{ url: string }} props */
function Outside({ url }) {
  const isLink = /^https?:\/\//i.test(url) && URL.canParse(url);
  return isLink ? html`<a href=${url} rel="noreferrer noopener" target="_blank">${url}</a>` : url;
}

/** @param {{ image: Image }} props */
function Files({ image: { files } }) {
  if (files.length === 0) return html`<p class="quiet">No file yet.</p>`;
  return html`
    <h2>Files</h2>
    <dl>
      ${files.map(
        ({ size, compression, sha1, sha256, stor }, index) => html`
          <${Field} name=${`File ${index}`}>
            ${bytes(size)} (${size} bytes), ${compression === 'none' ? 'not compressed' : compression}${stor && `, in ${stor}`}
            <br />SHA-1 <code>${sha1}</code>
            ${sha256 && html`<br />SHA-256 <code>${sha256}</code>`}
          <//>`,
      )}
    </dl>`;
}
