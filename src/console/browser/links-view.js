/** The datacenters that images come from and go to, and what this one has: stores, room, its process. */
import { ask } from './api.js';
import { bytes, duration, moment } from './format.js';
import { html } from './html.js';
import { State } from './images-view.js';
import { Status, useLoaded } from './loading.js';

const EVERY_MS = 10_000;

/**
 * @typedef {{ name: string, url: string, kind: string, keys?: string[], pull_origins?: string[], allowed_accounts?: string[],
 *   health?: { checked_at: string, ok: boolean, clock_skew_seconds?: number, versions?: { service: string }, error?: string } }} Link
 * @typedef {{ ok: boolean, ms: number, error?: string, down?: string[], bytes?: number }} Check
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
        ${name} ${health && html`<${State} state=${health.ok ? 'ok' : 'bad'} />`}
        ${kind === 'legacy' && html`<small>without signatures</small>`}
      </h2>
      ${health?.error && html`<p class="problem">${health.error}</p>`}
      <dl>
        <div><dt>URL</dt><dd>${url}</dd></div>
        ${health && html`<div><dt>Checked</dt><dd>${moment(health.checked_at)}</dd></div>`}
        ${health?.versions && html`<div><dt>Version</dt><dd>${health.versions.service}</dd></div>`}
        ${health?.clock_skew_seconds !== undefined && html`<div><dt>Clock</dt><dd>${health.clock_skew_seconds} s ahead</dd></div>`}
        ${keys.length > 0 && html`<div><dt>Keys</dt><dd>${keys.map((key) => html`<code>${key}</code> `)}</dd></div>`}
        <div><dt>It may read</dt><dd>${allowed ? `images of ${allowed.length} accounts` : 'images of all accounts'}</dd></div>
      </dl>
    </section>`;
}

/** Also while a part is down, when the answer is 503. */
function Health() {
  const loaded = useLoaded(
    async (signal) => {
      const answer = await fetch('../healthz', { signal });
      return /** @type {{ ok: boolean, checks: Record<string, Check> }} */ (await answer.json());
    },
    [],
    EVERY_MS,
  );
  return html`
    <h1>Health</h1>
    <${Status} of=${loaded} />
    <dl>
      ${Object.entries(loaded.value?.checks ?? {}).map(
        ([name, { ok, ms, error, down, bytes: free }]) => html`
          <div key=${name}>
            <dt>${name}</dt>
            <dd>
              <${State} state=${ok ? 'ok' : 'bad'} /> ${ms} ms${free !== undefined && `, ${bytes(free)} free`}
              ${down && html`<span class="problem"> down: ${down.join(', ')}</span>`}
              ${error && html`<span class="problem"> ${error}</span>`}
            </dd>
          </div>`,
      )}
    </dl>`;
}

function Server() {
  const loaded = useLoaded(async (signal) => (await ask('state', { signal })).value, [], EVERY_MS);
  const state = loaded.value;
  return html`
    <h1>This server</h1>
    <${Status} of=${loaded} />
    ${
      state &&
      html`<dl>
        <div><dt>Process</dt><dd>${state.worker}, up for ${duration(state.uptime)}, ${bytes(state.memory.rss)} of memory</dd></div>
        <div><dt>Documents</dt><dd>${state.database}</dd></div>
        <div><dt>Files</dt><dd>${state.storage.join(', ')}</dd></div>
        ${state.scrub && html`<div><dt>Damaged files</dt><dd>${state.scrub.findings}</dd></div>`}
      </dl>`
    }`;
}
