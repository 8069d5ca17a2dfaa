/** What is looked for in the list of images. It stands in the address, so that it can be kept and sent. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { standardChannel } from './api.js';
import { html } from './html.js';
import { hrefOf } from './route.js';

const STATES = ['all', 'unactivated', 'disabled', 'creating', 'copying', 'failed'];
const SYSTEMS = ['smartos', 'linux', 'windows', 'bsd', 'illumos', 'other'];
const TYPES = ['zone-dataset', 'lx-dataset', 'lxd', 'zvol', 'docker', 'other'];
const FIELDS = ['name', 'os', 'type', 'state', 'owner', 'channel'];
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @param {{ query: Record<string, string>, settings: import('./api.js').Settings }} props */
export function Filters({ query, settings }) {
  const form = useRef(/** @type {HTMLFormElement | null} */ (null));
  const [given, setGiven] = useState(query);
  const [problem, setProblem] = useState('');
  // By way of the address alone, as when somebody goes back.
  useEffect(() => {
    setGiven(query);
    setProblem('');
  }, [JSON.stringify(query)]);
  /** @param {Record<string, string>} wanted */
  const apply = (wanted) => {
    const filters = Object.fromEntries(FIELDS.map((field) => [field, (wanted[field] ?? '').trim()]));
    const { name = '', owner = '' } = filters;
    if (UUID.test(name)) {
      location.hash = hrefOf(['images', name]);
      return;
    }
    if (owner !== '' && !UUID.test(owner)) {
      setProblem('An owner is named by the UUID of the account.');
      return;
    }
    setProblem('');
    location.hash = hrefOf(['images'], filters);
  };
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const isTyping = event.target instanceof Element && event.target.matches('input, select, textarea');
      if (event.key !== '/' || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      form.current?.querySelector('input')?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const onSubmit = (/** @type {Event} */ event) => {
    event.preventDefault();
    apply(given);
  };
  /** @param {string} name */
  const text = (name) => ({
    name,
    value: given[name] ?? '',
    autocomplete: 'off',
    onInput: (/** @type {any} */ { target }) => setGiven((before) => ({ ...before, [name]: target.value })),
  });
  /** @param {string} name @param {string} label @param {readonly string[]} values @param {string} [none] */
  const choice = (name, label, values, none = 'any') => html`
    <label>${label}
      <select name=${name} value=${given[name] ?? ''} onChange=${(/** @type {any} */ { target }) => {
        const wanted = { ...given, [name]: target.value };
        setGiven(wanted);
        apply(wanted);
      }}>
        <option value="">${none}</option>
        ${values.map((value) => html`<option key=${value} value=${value}>${value === '*' ? 'all' : value}</option>`)}
      </select>
    </label>`;
  return html`
    <form class="filters" role="search" ref=${form} onSubmit=${onSubmit}>
      <label class="grow">Name or UUID
        <input ...${text('name')} type="search" placeholder="press / to search" />
      </label>
      ${choice('os', 'System', SYSTEMS)} ${choice('type', 'Type', TYPES)}
      ${settings.operator && choice('state', 'State', STATES, 'active')}
      ${settings.channels && channelChoice(settings, choice)}
      ${
        settings.operator &&
        html`<label>Owner
          <input ...${text('owner')} placeholder="UUID" aria-invalid=${problem !== ''} aria-describedby=${problem ? 'owner-problem' : undefined} />
        </label>`
      }
      <button type="submit">Search</button>
      ${problem && html`<p class="problem" id="owner-problem" role="alert">${problem}</p>`}
    </form>`;
}

/**
 * @param {import('./api.js').Settings} settings
 * @param {(name: string, label: string, values: readonly string[], none: string) => unknown} choice
 */
function channelChoice(settings, choice) {
  const standard = standardChannel(settings);
  const names = (settings.channels ?? []).map(({ name }) => name).filter((name) => name !== standard);
  return choice('channel', 'Channel', standard === undefined ? names : [...names, '*'], standard ?? 'all');
}
