/** Copies from other datacenters, as they go on, and orders to others; where the console may write, new ones too. */
import { useRef, useState } from 'preact/hooks';
import { ask } from './api.js';
import { Bar } from './bar.js';
import { FanOuts } from './fan-outs.js';
import { bytes, duration, moment } from './format.js';
import { html } from './html.js';
import { State } from './images-view.js';
import { Status, useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { Act } from './writing.js';

const EVERY_MS = 2000;
const LISTED = '50';
const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/**
 * @typedef {{ uuid: string, name: string, version: string, state: string, bytes_done: number, bytes_total: number, rate: number,
 *   source?: string, attempt: number, error?: { code: string, message: string }, note?: string }} Part
 * @typedef {{ image_uuid: string, order: string, account?: string, datacenter: string, state: string, kind: string,
 *   created_at: string, finished_at?: string, error?: { code: string, message: string }, bytes_done: number,
 *   bytes_total: number, rate: number, eta?: number, images: Part[] }} Copy
 */

/** @param {{ settings: import('./api.js').Settings }} props */
export function CopiesView({ settings }) {
  const copies = useLoaded(
    async (signal) => /** @type {Copy[]} */ ((await ask('copies', { query: { limit: LISTED }, signal })).value),
    [],
    EVERY_MS,
  );
  const { value: list, reload } = copies;
  return html`
    <h1>Copies</h1>
    ${settings.write && settings.mode === 'dc' && html`<${Order} onOrdered=${reload} />`}
    <${Status} of=${copies} />
    ${list?.length === 0 && html`<p class="quiet">Nothing was copied to here yet.</p>`}
    ${list?.map((copy) => html`<${CopyCard} key=${copy.order} copy=${copy} settings=${settings} onChange=${reload} />`)}
    ${settings.mode === 'dc' && html`<${FanOuts} settings=${settings} />`}`;
}

/** @param {{ copy: Copy, settings: import('./api.js').Settings, onChange: () => void }} props */
function CopyCard({ copy, settings, onChange }) {
  const { image_uuid: uuid, account, datacenter, state, images, eta, error, rate } = copy;
  const last = images.at(-1);
  const title = last ? `${last.name} ${last.version}` : uuid;
  const isLive = state === 'queued' || state === 'running';
  const canRetry =
    (state === 'failed' || state === 'canceled') && account !== undefined && copy.kind !== 'import-remote';
  return html`
    <section class="card" aria-label=${`Copy of ${title}`}>
      <h2><a href=${hrefOf(['images', uuid])}>${title}</a> <small>from ${datacenter}</small> <${State} state=${state} /></h2>
      <p class="quiet">
        Ordered ${moment(copy.created_at)}${copy.finished_at && `, ended ${moment(copy.finished_at)}`}
        ${isLive && ` · ${bytes(rate)}/s`}${isLive && eta !== undefined && ` · ${duration(eta)} left`}
      </p>
      ${error && html`<p class="problem">${error.code}: ${error.message}</p>`}
      ${images.map((part) => html`<${Bar} key=${part.uuid} part=${part} label=${`${part.name} ${part.version}`} />`)}
      ${
        settings.write &&
        html`<p class="row">
          ${isLive && html`<${Act} label="Cancel" isQuiet of=${`the copy of ${title}`} onDone=${onChange} act=${() => ask(`images/${uuid}/copy`, { method: 'DELETE', query: { account } })} />`}
          ${canRetry && html`<${Act} label="Try again" isQuiet of=${`the copy of ${title}`} onDone=${onChange} act=${() => ask(`images/${uuid}`, { method: 'POST', query: { action: 'copy-from-dc', datacenter, account } })} />`}
        </p>`
      }
    </section>`;
}

/** @param {{ onOrdered: () => void }} props */
function Order({ onOrdered }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const sources = useLoaded(
    async (signal) => /** @type {{ name: string }[]} */ ((await ask('datacenters', { signal })).value),
    [],
  );
  const [plan, setPlan] = useState(/** @type {any} */ (undefined));
  const [problem, setProblem] = useState('');
  const given = () =>
    /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form.current ?? undefined)));
  /** @param {Event} event */
  const onPlan = async (event) => {
    event.preventDefault();
    setProblem('');
    setPlan(undefined);
    const { uuid, account, datacenter } = given();
    try {
      setPlan((await ask(`images/${uuid}/copy`, { query: { plan: 'true', datacenter, account } })).value);
    } catch (error) {
      setProblem(/** @type {Error} */ (error).message);
    }
  };
  const order = async () => {
    const { uuid, account, datacenter } = given();
    await ask(`images/${uuid}`, { method: 'POST', query: { action: 'copy-from-dc', datacenter, account } });
    setPlan(undefined);
  };
  if (!sources.value) return html`<${Status} of=${sources} />`;
  if (sources.value.length === 0) return html`<p class="quiet">No datacenter is linked.</p>`;
  return html`
    <form class="row" ref=${form} onSubmit=${onPlan} onInput=${() => setPlan(undefined)} aria-label="Order a copy">
      <label>From
        <select name="datacenter">${sources.value.map(({ name }) => html`<option value=${name}>${name}</option>`)}</select>
      </label>
      <label class="grow">Image <input name="uuid" required pattern=${UUID} placeholder="UUID" autocomplete="off" /></label>
      <label class="grow">For the account <input name="account" required pattern=${UUID} placeholder="UUID" autocomplete="off" /></label>
      <button type="submit" class="second">What would come?</button>
      ${plan && html`<${Act} label="Order the copy" act=${order} onDone=${onOrdered} />`}
    </form>
    ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    ${
      plan &&
      html`<div role="status">
        <p>${bytes(plan.bytes_to_copy)} of ${bytes(plan.bytes_total)} would be copied:</p>
        <ul>
          ${plan.images.map((/** @type {any} */ image) => html`<li key=${image.uuid}>${image.name} ${image.version}, ${bytes(image.size)}: ${image.action === 'here' ? 'here already' : image.action}</li>`)}
        </ul>
      </div>`
    }`;
}
