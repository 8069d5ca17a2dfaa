/** Who uses an image: images that build on it, other datacenters, machines. Where the console may write, copies to others too. */
import { anywhere, ask } from './api.js';
import { moment } from './format.js';
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { State } from './state.js';
import { Act } from './writing.js';

/**
 * @typedef {import('./api.js').Image} Image
 * @typedef {{ code: string, message: string }} Problem
 * @typedef {{ datacenter: string, state?: string, sha1?: string, recorded?: boolean, error?: Problem }} Holder
 * @typedef {{ uuid: string, alias?: string, owner?: string, state?: string }} Instance
 * @typedef {{ count: number, complete: boolean }} Part
 * @typedef {{ derived: Part & { images: Image[] }, datacenters?: Holder[],
 *   instances?: Part & { instances: Instance[], error?: Problem } }} Used
 */

/** @param {{ image: Image, settings: import('./api.js').Settings }} props */
export function Usage({ image, settings }) {
  const { uuid } = image;
  const isLinked = settings.mode === 'dc';
  const used = useLoaded(
    async (signal) =>
      /** @type {Used} */ ((await ask(`images/${uuid}/usage`, { query: anywhere(settings), signal })).value),
    [uuid],
  );
  const linked = useLoaded(
    async (signal) => /** @type {{ name: string }[]} */ (isLinked ? (await ask('datacenters', { signal })).value : []),
    [isLinked],
  );
  const { derived, datacenters, instances } = used.value ?? {};
  return html`
    <h2>Used by</h2>
    <${Status} of=${used} />
    ${derived && html`<${Derived} part=${derived} />`}
    ${instances && html`<${Machines} part=${instances} />`}
    ${isLinked && html`<${Elsewhere} image=${image} settings=${settings} holders=${datacenters} isUnknown=${used.error !== undefined} linked=${linked} />`}`;
}

/** @param {{ part: Used['derived'] }} props */
function Derived({ part }) {
  const { images } = part;
  if (images.length === 0) return html`<p class="quiet">No image builds on it.</p>`;
  return html`
    <details open=${images.length <= 10}>
      <summary>Images that build on it: ${counted(part)}</summary>
      <ul class="shares">
        ${images.map(
          ({ uuid, name, version, state }) => html`
            <li key=${uuid}><a href=${hrefOf(['images', uuid])}><bdi>${name}</bdi> ${version}</a> <${State} state=${state} /></li>`,
        )}
      </ul>
    </details>`;
}

/** @param {{ part: NonNullable<Used['instances']> }} props */
function Machines({ part }) {
  const { instances, error } = part;
  if (error) return html`<p class="problem">Machines are not known: ${error.message}</p>`;
  if (instances.length === 0) return html`<p class="quiet">No machine is made of it.</p>`;
  return html`
    <details open=${instances.length <= 10}>
      <summary>Machines made of it: ${counted(part)}</summary>
      <ul class="shares">
        ${instances.map(
          ({ uuid, alias, state }) => html`
            <li key=${uuid}><bdi>${alias}</bdi> <code>${uuid}</code> ${state && html`<${State} state=${state} />`}</li>`,
        )}
      </ul>
    </details>`;
}

/** @param {Part} part */
function counted({ count, complete }) {
  return complete ? String(count) : `${count} or more`;
}

/**
 * @param {{ image: Image, settings: import('./api.js').Settings, holders: Holder[] | undefined, isUnknown: boolean,
 *   linked: import('./loading.js').Loaded<{ name: string }[]> }} props `holders`: absent until it is known
 */
function Elsewhere({ image, settings, holders, isUnknown, linked }) {
  const { copied_from: copied, cloned_from: cloned, files } = image;
  const known = new Set(holders?.map(({ datacenter }) => datacenter));
  // Who is not a holder is known only when all were asked.
  const others = (holders && linked.value ? linked.value : []).filter(({ name }) => !known.has(name));
  return html`
    <h2>Elsewhere</h2>
    ${copied && html`<p>Copied from <b>${copied.datacenter}</b> at ${moment(copied.at)}.</p>`}
    ${cloned && html`<p>Cloned from <a href=${hrefOf(['images', cloned.uuid])}><code>${cloned.uuid}</code></a>.</p>`}
    <${Status} of=${linked} />
    ${isUnknown && html`<p class="quiet">Where else it is, is not known at the moment.</p>`}
    ${linked.value && holders && known.size + others.length === 0 && html`<p class="quiet">No datacenter is linked.</p>`}
    <ul class="shares">
      ${holders?.map(
        (holder) => html`
          <li key=${holder.datacenter}>
            <b>${holder.datacenter}</b>: <${There} holder=${holder} sha1=${files[0]?.sha1} />
            ${settings.write && holder.error && !holder.recorded && html` <${CopyTo} image=${image} datacenter=${holder.datacenter} />`}
          </li>`,
      )}
      ${others.map(
        ({ name }) => html`
          <li key=${name}>
            <b>${name}</b>: not there
            ${settings.write && html` <${CopyTo} image=${image} datacenter=${name} />`}
          </li>`,
      )}
    </ul>`;
}

/** @param {{ holder: Holder, sha1: string | undefined }} props `sha1`: of the file here */
function There({ holder: { state, sha1, recorded, error }, sha1: here }) {
  const word = recorded ? 'has it, as recorded here' : 'has it';
  if (error) return html`${recorded && `${word}; `}<span class="problem">${error.message}</span>`;
  const isOther = sha1 !== undefined && here !== undefined && sha1 !== here;
  return html`${word} ${state && html`<${State} state=${state} />`}${sha1 && html` SHA-1 <code>${sha1}</code>`}${
    isOther && html` <span class="problem">not the file that is here</span>`
  }`;
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
