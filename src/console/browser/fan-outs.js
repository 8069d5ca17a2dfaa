/** Orders that were given here for other datacenters; where the console may write, they are canceled and tried again. */
import { useState } from 'preact/hooks';
import { ask } from './api.js';
import { Bar } from './bar.js';
import { moment } from './format.js';
import { html } from './html.js';
import { ImageName } from './image-name.js';
import { Status, useLoaded } from './loading.js';
import { LISTED, More } from './more.js';
import { State } from './state.js';
import { Act } from './writing.js';

const EVERY_MS = 2000;

/**
 * @typedef {{ datacenter: string, state: string, bytes_done: number, bytes_total: number, rate: number, tries: number,
 *   error?: { code: string, message: string } }} Target
 * @typedef {{ uuid: string, image_uuid: string, account: string, state: string, together: boolean, created_at: string,
 *   finished_at?: string, datacenters: Target[] }} FanOut
 */

/** @param {{ settings: import('./api.js').Settings }} props */
export function FanOuts({ settings }) {
  const [limit, setLimit] = useState(LISTED);
  const orders = useLoaded(
    async (signal) =>
      /** @type {FanOut[]} */ ((await ask('fan-outs', { query: { limit: String(limit) }, signal })).value),
    [limit],
    EVERY_MS,
  );
  const list = orders.value ?? orders.before;
  if (!orders.error && (!list || list.length === 0)) return null;
  return html`
    <h2>Orders to other datacenters</h2>
    ${orders.error && html`<${Status} of=${orders} />`}
    ${list?.map((order) => html`<${Order} key=${order.uuid} order=${order} settings=${settings} onChange=${orders.reload} />`)}
    <${More} count=${list?.length ?? 0} limit=${limit} onMore=${setLimit} />`;
}

/** @param {{ order: FanOut, settings: import('./api.js').Settings, onChange: () => void }} props */
function Order({ order, settings, onChange }) {
  const { uuid, image_uuid: image, account, state, together, created_at: created, finished_at: finished } = order;
  const canRetry = order.datacenters.some(({ state: one }) => one === 'failed' || one === 'canceled');
  const change = (/** @type {string} */ path, /** @type {string} */ method) => () =>
    ask(path, { method, query: { account } });
  return html`
    <section class="card" tabindex="-1" aria-label=${`Order for image ${image}`}>
      <h3><${ImageName} uuid=${image} settings=${settings} /> <${State} state=${state} /></h3>
      <p class="quiet">
        Ordered ${moment(created)}${finished && `, ended ${moment(finished)}`}
        ${together && ' · shown nowhere before it is verified everywhere'}
      </p>
      ${order.datacenters.map((target) => html`<${Bar} key=${target.datacenter} part=${target} label=${target.datacenter} />`)}
      ${
        settings.write &&
        html`<p class="row">
          ${state === 'running' && html`<${Act} key="cancel" label="Cancel" isQuiet of=${`the order for ${image}`} onDone=${onChange} act=${change(`fan-outs/${uuid}`, 'DELETE')} />`}
          ${canRetry && html`<${Act} key="retry" label="Try again" isQuiet of=${`the order for ${image}`} onDone=${onChange} act=${change(`fan-outs/${uuid}/retry`, 'POST')} />`}
        </p>`
      }
    </section>`;
}
