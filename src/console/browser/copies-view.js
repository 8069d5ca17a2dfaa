/** Copies from other datacenters, as they go on, and orders to others; where the console may write, new ones too. */
import { useRef, useState } from 'preact/hooks';
import { ask } from './api.js';
import { Bar } from './bar.js';
import { FanOuts } from './fan-outs.js';
import { bytes, duration, moment } from './format.js';
import { html } from './html.js';
import { Status, useLoaded, Words } from './loading.js';
import { LISTED, More } from './more.js';
import { hrefOf } from './route.js';
import { State } from './state.js';
import { Act } from './writing.js';

const EVERY_MS = 2000;
const STATES = ['queued', 'running', 'succeeded', 'failed', 'canceled'];
const UUID = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';

/**
 * @typedef {{ uuid: string, name: string, version: string, state: string, bytes_done: number, bytes_total: number, rate: number,
 *   source?: string, attempt: number, error?: { code: string, message: string }, note?: string }} Part
 * @typedef {{ image_uuid: string, order: string, account?: string, datacenter: string, state: string, kind: string,
 *   created_at: string, finished_at?: string, error?: { code: string, message: string }, bytes_done: number,
 *   bytes_total: number, rate: number, eta?: number, images: Part[] }} Copy
 */

/** @param {{ query: Readonly<Record<string, string>>, settings: import('./api.js').Settings }} props */
export function CopiesView({ query: { state }, settings }) {
  const [limit, setLimit] = useState(LISTED);
  const copies = useLoaded(
    async (signal) => {
      const { value } = await ask('copies', { query: { state, limit: String(limit) }, signal });
      return { list: /** @type {Copy[]} */ (value) };
    },
    [state, limit],
    EVERY_MS,
  );
  const { list } = copies.value ?? copies.before ?? {};
  const onState = (/** @type {any} */ { target }) => {
    location.hash = hrefOf(['copies'], { state: target.value });
  };
  return html`
    <h1>Copies</h1>
    ${settings.write && settings.mode === 'dc' && html`<${Order} onOrdered=${copies.reload} />`}
    <form class="row" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
      <label>State
        <select name="state" value=${state ?? ''} onChange=${onState}>
          <option value="">any</option>
          ${STATES.map((one) => html`<option key=${one} value=${one}>${one}</option>`)}
        </select>
      </label>
    </form>
    <${Status} of=${copies} />
    ${copies.value?.list.length === 0 && html`<p class="quiet" role="status">${state ? `No copy is ${state}.` : 'Nothing was copied to here yet.'}</p>`}
    ${list?.map((copy) => html`<${CopyCard} key=${copy.order} copy=${copy} settings=${settings} onChange=${copies.reload} />`)}
    <${More} count=${list?.length ?? 0} limit=${limit} onMore=${setLimit} />
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
    <section class="card" tabindex="-1" aria-label=${`Copy of ${title}`}>
      <h2><a href=${hrefOf(['images', uuid])}><bdi>${title}</bdi></a> <small>from ${datacenter}</small> <${State} state=${state} /></h2>
      <p class="quiet">
        Ordered ${moment(copy.created_at)}${copy.finished_at && `, ended ${moment(copy.finished_at)}`}
        ${isLive && ` · ${bytes(rate)}/s`}${isLive && eta !== undefined && ` · ${duration(eta)} left`}
      </p>
      ${error && html`<p class="problem">${error.code}: ${error.message}</p>`}
      ${images.map((part) => html`<${Bar} key=${part.uuid} part=${part} label=${`${part.name} ${part.version}`} />`)}
      ${
        settings.write &&
        html`<p class="row">
          ${isLive && html`<${Act} key="cancel" label="Cancel" isQuiet of=${`the copy of ${title}`} onDone=${onChange} act=${() => ask(`images/${uuid}/copy`, { method: 'DELETE', query: { account } })} />`}
          ${canRetry && html`<${Act} key="retry" label="Try again" isQuiet of=${`the copy of ${title}`} onDone=${onChange} act=${() => ask(`images/${uuid}`, { method: 'POST', query: { action: 'copy-from-dc', datacenter, account } })} />`}
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
  const [problem, setProblem] = useState(/** @type {Error | undefined} */ (undefined));
  const given = () =>
    /** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form.current ?? undefined)));
  /** @param {Event} event */
  const onPlan = async (event) => {
    event.preventDefault();
    setProblem(undefined);
    setPlan(undefined);
    const { uuid, account, datacenter } = given();
    try {
      setPlan((await ask(`images/${uuid}/copy`, { query: { plan: 'true', datacenter, account } })).value);
    } catch (error) {
      setProblem(/** @type {Error} */ (error));
    }
  };
  const order = async () => {
    const { uuid, account, datacenter } = given();
    await ask(`images/${uuid}`, { method: 'POST', query: { action: 'copy-from-dc', datacenter, account } });
    setPlan(undefined);
  };
  if (!sources.value) return html`<h2>Order a copy</h2><${Status} of=${sources} />`;
  if (sources.value.length === 0) return html`<p class="quiet">No datacenter is linked.</p>`;
  return html`
    <form class="row" ref=${form} onSubmit=${onPlan} onInput=${() => setPlan(undefined)} aria-label="Order a copy">
      <label>From
        <select name="datacenter">${sources.value.map(({ name }) => html`<option value=${name}>${name}</option>`)}</select>
      </label>
      <label class="grow">Image <input name="uuid" required pattern=${UUID} title="The UUID of an image" placeholder="UUID" autocomplete="off" /></label>
      <label class="grow">For the account <input name="account" required pattern=${UUID} title="The UUID of the account that owns it" placeholder="UUID" autocomplete="off" /></label>
      <button type="submit" class="second">What would come?</button>
      ${plan && html`<${Act} label="Order the copy" act=${order} onDone=${onOrdered} />`}
    </form>
    ${problem && html`<p class="problem" role="alert"><${Words} of=${problem} /></p>`}
    ${
      plan &&
      html`<div role="status">
        <p>${bytes(plan.bytes_to_copy)} of ${bytes(plan.bytes_total)} would be copied:</p>
        <ul>
          ${plan.images.map((/** @type {any} */ image) => html`<li key=${image.uuid}><bdi>${image.name}</bdi> ${image.version}, ${bytes(image.size)}: ${image.action === 'here' ? 'here already' : image.action}</li>`)}
        </ul>
      </div>`
    }`;
}
