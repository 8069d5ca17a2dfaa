/** The datacenters that images come from and go to, and what this one has: stores, room, its upkeep, its process. */
import { ask, fetched, parsed, refusal } from './api.js';
import { bytes, duration, moment } from './format.js';
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { State } from './state.js';
import { didOf } from './tasks-view.js';

const EVERY_MS = 10_000;

/**
 * @typedef {{ name: string, url: string, kind: string, keys?: string[], pull_origins?: string[], allowed_accounts?: string[],
 *   health?: { checked_at: string, ok: boolean, clock_skew_seconds?: number, versions?: { service: string }, error?: string } }} Link
 * @typedef {{ ok: boolean, ms: number, error?: string, down?: string[], bytes?: number }} Check
 * @typedef {{ findings: number, next_at?: string, pass?: { began_at: string, files: number, bytes: number, bad: number },
 *   last?: { ended_at: string, files: number, bytes: number, bad: number, skipped: number } }} Scrub
 * @typedef {{ worker: string, uptime: number, memory: { rss: number }, database: string, storage: string[], scrub?: Scrub }} ServerState
 */

export function LinksView() {
  const links = useLoaded(
    async (signal) => /** @type {Link[]} */ ((await ask('datacenters', { signal })).value),
    [],
    EVERY_MS,
  );
  return html`
    <h1>Datacenters</h1>
    <${Status} of=${links} />
    ${links.value?.length === 0 && html`<p class="quiet">No datacenter is linked. <code>imgapiadm link-token</code> begins a link.</p>`}
    ${links.value?.map((link) => html`<${LinkCard} key=${link.name} link=${link} />`)}
    <${Health} />
    <${Server} />`;
}

/** @param {{ link: Link }} props */
function LinkCard({ link: { name, url, kind, keys = [], allowed_accounts: allowed, health } }) {
  return html`
    <section class="card" aria-label=${name}>
      <h2>
        ${name} ${health && html`<${State} state=${health.ok ? 'ok' : 'bad'} label=${health.ok ? 'ok' : 'does not work'} />`}
        ${kind === 'legacy' && html`<small>without signatures</small>`}
      </h2>
      ${health?.error && html`<p class="problem">${health.error}</p>`}
      <dl>
        <div><dt>URL</dt><dd>${url}</dd></div>
        ${health && html`<div><dt>Checked</dt><dd>${moment(health.checked_at)}</dd></div>`}
        ${health?.versions && html`<div><dt>Version</dt><dd>${health.versions.service}</dd></div>`}
        ${health?.clock_skew_seconds !== undefined && html`<div><dt>Clock</dt><dd>${skew(health.clock_skew_seconds)}</dd></div>`}
        ${keys.length > 0 && html`<div><dt>Keys</dt><dd>${keys.map((key) => html`<code>${key}</code> `)}</dd></div>`}
        <div><dt>It may read</dt><dd>${allowed ? `images of ${allowed.length} accounts` : 'images of all accounts'}</dd></div>
      </dl>
    </section>`;
}

/** @param {number} seconds how far the other clock is ahead */
function skew(seconds) {
  if (seconds === 0) return 'as here';
  return seconds > 0 ? `${seconds} s ahead` : `${-seconds} s behind`;
}

/** Also while a part is down, when the answer is 503. */
function Health() {
  const loaded = useLoaded(
    async (signal) => {
      const { answer, text } = await fetched('../healthz', { signal });
      const health = /** @type {{ ok: boolean, checks: Record<string, Check> } | undefined} */ (parsed(text));
      if (!health?.checks) throw refusal(answer, health);
      return health;
    },
    [],
    EVERY_MS,
  );
  return html`
    <h2>Health</h2>
    <${Status} of=${loaded} />
    <dl>
      ${Object.entries(loaded.value?.checks ?? {}).map(
        ([name, { ok, ms, error, down, bytes: free }]) => html`
          <div key=${name}>
            <dt>${name}</dt>
            <dd>
              <${State} state=${ok ? 'ok' : 'bad'} label=${ok ? 'ok' : 'down'} /> ${ms} ms${free !== undefined && `, ${bytes(free)} free`}
              ${down && html`<span class="problem"> down: ${down.join(', ')}</span>`}
              ${error && html`<span class="problem"> ${error}</span>`}
            </dd>
          </div>`,
      )}
    </dl>`;
}

function Server() {
  const loaded = useLoaded(
    async (signal) => /** @type {ServerState} */ ((await ask('state', { signal })).value),
    [],
    EVERY_MS,
  );
  const state = loaded.value;
  return html`
    <h2>This server</h2>
    <${Status} of=${loaded} />
    ${
      state &&
      html`<dl>
        <div><dt>Process</dt><dd>${state.worker}, up for ${duration(state.uptime)}, ${bytes(state.memory.rss)} of memory</dd></div>
        <div><dt>Documents</dt><dd>${state.database}</dd></div>
        <div><dt>Files</dt><dd>${state.storage.join(', ')}</dd></div>
      </dl>`
    }
    <${Upkeep} scrub=${state?.scrub} />`;
}

/** What is done for the files: all are read again, and what nobody needs goes. @param {{ scrub: Scrub | undefined }} props */
function Upkeep({ scrub }) {
  const tasks = useLoaded(
    async (signal) => /** @type {import('./tasks-view.js').Task[]} */ ((await ask('tasks', { signal })).value),
    [],
    EVERY_MS,
  );
  const shown = tasks.value?.filter(({ name }) => name === 'reap-pulls' || name === 'sweep-staging') ?? [];
  return html`
    <h2>Upkeep</h2>
    <${Status} of=${tasks} />
    <dl>
      ${scrub && html`<div><dt>Scrub</dt><dd>${passes(scrub)}</dd></div>`}
      ${
        scrub &&
        html`<div>
          <dt>Damaged files</dt>
          <dd>${scrub.findings === 0 ? 'none' : html`<span class="problem">${scrub.findings}</span>: <code>imgapiadm verify</code> names them`}</dd>
        </div>`
      }
      ${shown.map(
        ({ name, what, last_run: last }) => html`
          <div key=${name}>
            <dt>${name === 'reap-pulls' ? 'Reaper' : 'Sweeper'}</dt>
            <dd>
              ${what}: ${last ? moment(last.ended_at) : 'not yet'}${last?.did && `, ${didOf(last.did)}`}
              ${last?.error && html` <span class="problem">${last.error}</span>`}
            </dd>
          </div>`,
      )}
    </dl>
    ${tasks.value && html`<p><a href=${hrefOf(['tasks'])}>All tasks</a></p>`}`;
}

/** @param {Scrub} scrub */
function passes({ pass, last, next_at: next }) {
  if (pass)
    return `all files are read again since ${moment(pass.began_at)}: ${pass.files} files, ${bytes(pass.bytes)} so far`;
  const words = last ? `${last.files} files, ${bytes(last.bytes)} read by ${moment(last.ended_at)}` : 'no pass yet';
  return next ? `${words}; next ${moment(next)}` : words;
}
