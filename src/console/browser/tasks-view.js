/** The background tasks: what each does, how its last run went, and when it is due. */
import { ask } from './api.js';
import { duration, moment } from './format.js';
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';
import { State } from './state.js';

const EVERY_MS = 5000;

/**
 * @typedef {{ name: string, what: string, period_seconds: number, state: string, failures: number, next_run?: string,
 *   last_run?: { result: string, ended_at: string, seconds: number, worker: string, did?: Record<string, unknown>, error?: string } }} Task
 */

export function TasksView() {
  const loaded = useLoaded(
    async (signal) => /** @type {Task[]} */ ((await ask('tasks', { signal })).value),
    [],
    EVERY_MS,
  );
  return html`
    <h1>Tasks</h1>
    <${Status} of=${loaded} />
    ${
      loaded.value &&
      html`<table class="list">
        <thead>
          <tr><th scope="col">Task</th><th scope="col">State</th><th scope="col" class="wide">Every</th><th scope="col">Last run</th></tr>
        </thead>
        <tbody>
          ${loaded.value.map(
            ({ name, what, state, period_seconds: period, failures, last_run: last }) => html`
              <tr key=${name}>
                <th scope="row"><code>${name}</code><br /><span class="quiet">${what}</span></th>
                <td><${State} state=${state === 'failing' ? 'failed' : state} label=${state} /></td>
                <td class="wide">${duration(period)}</td>
                <td class="run">
                  ${last ? `${moment(last.ended_at)}, ${last.seconds.toFixed(1)} s` : html`<span class="quiet">not yet</span>`}
                  ${last?.did && html`<br /><span class="quiet">${didOf(last.did)}</span>`}
                  ${last?.error && html`<br /><span class="problem">${last.error}${failures > 1 && ` (${failures} times)`}</span>`}
                </td>
              </tr>`,
          )}
        </tbody>
      </table>`
    }`;
}

/** As `imgapiadm tasks` tells it. @param {Record<string, unknown>} did */
export function didOf(did) {
  return Object.entries(did)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
