/** Orders that were given here for other datacenters; where the console may write, they are canceled and tried again. */
import { ask } from './api.js';
import { Bar } from './bar.js';
import { moment } from './format.js';
import { html } from './html.js';
import { State } from './images-view.js';
import { useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { Act } from './writing.js';

const EVERY_MS = 2000;
const LISTED = '50';

/**
 * @typedef {{ datacenter: string, state: string, bytes_done: number, bytes_total: number, rate: number,
 *   error?: { code: string, message: string } }} Target
 * @typedef {{ uuid: string, image_uuid: string, account: string, state: string, together: boolean, created_at: string,
 *   finished_at?: string, datacenters: Target[] }} FanOut
 */

/** @param {{ settings: import('./api.js').Settings }} props */
export function FanOuts({ settings }) {
  const { value: orders, reload } = useLoaded(
    async (signal) => /** @type {FanOut[]} */ ((await ask('fan-outs', { query: { limit: LISTED }, signal })).value),
    [],
    EVERY_MS,
  );
  if (!orders || orders.length === 0) return null;
  return html`
    <h1>Orders to other datacenters</h1>
    ${orders.map((order) => html`<${Order} key=${order.uuid} order=${order} settings=${settings} onChange=${reload} />`)}`;
}

/** @param {{ order: FanOut, settings: import('./api.js').Settings, onChange: () => void }} props */
function Order({ order, settings, onChange }) {
  const { uuid, image_uuid: image, account, state, together, created_at: created, finished_at: finished } = order;
  const canRetry = order.datacenters.some(({ state: one }) => one === 'failed' || one === 'canceled');
  const change = (/** @type {string} */ path, /** @type {string} */ method) => () =>
    ask(path, { method, query: { account } });
  return html`
    <section class="card" aria-label=${`Order for image ${image}`}>
      <h2><a href=${hrefOf(['images', image])}><code>${image}</code></a> <${State} state=${state} /></h2>
      <p class="quiet">
        Ordered ${moment(created)}${finished && `, ended ${moment(finished)}`}
        ${together && ' · shown nowhere before it is verified everywhere'}
      </p>
      ${order.datacenters.map((target) => html`<${Bar} key=${target.datacenter} part=${target} label=${target.datacenter} />`)}
      ${
        settings.write &&
        html`<p class="row">
          ${state === 'running' && html`<${Act} label="Cancel" isQuiet of=${`the order for ${image}`} onDone=${onChange} act=${change(`fan-outs/${uuid}`, 'DELETE')} />`}
          ${canRetry && html`<${Act} label="Try again" isQuiet of=${`the order for ${image}`} onDone=${onChange} act=${change(`fan-outs/${uuid}/retry`, 'POST')} />`}
        </p>`
      }
    </section>`;
}
