/** With whom an image is shared and what they answered; where the console may write, shares are added and ended. */
import { useState } from 'preact/hooks';
import { ask } from './api.js';
import { html } from './html.js';
import { Act } from './writing.js';

/** @typedef {import('./api.js').Image} Image */

/** @param {{ image: Image, settings: import('./api.js').Settings, onChange: () => void }} props */
export function Sharing({ image, settings, onChange }) {
  const { uuid, acl = [], accepted_by: accepted = [], left_by: left = [] } = image;
  const [entry, setEntry] = useState('');
  /** @param {string} action @param {string} whom */
  const change = (action, whom) => ask(`images/${uuid}/acl`, { method: 'POST', query: { action }, json: [whom] });
  const onAdded = () => {
    setEntry('');
    onChange();
  };
  /** @param {any} event */
  const onSubmit = (event) => {
    event.preventDefault();
    event.currentTarget.querySelector('button').click();
  };
  return html`
    <section tabindex="-1" aria-label="Shared with">
    <h2>Shared with</h2>
    ${acl.length === 0 && html`<p class="quiet">Nobody.</p>`}
    ${acl.length > 0 && html`<p class="quiet">Who wants to be asked has an offer until it is accepted. Unshare takes an offer back as well.</p>`}
    <ul class="shares">
      ${acl.map(
        (whom) => html`
          <li key=${whom}>
            <code><bdi>${whom}</bdi></code>${' '}
            <span class=${accepted.includes(whom) ? 'state ok' : 'state'}>${answerOf(whom, accepted, left)}</span>
            ${settings.write && html` <${Act} label="Unshare" isQuiet of=${whom} act=${() => change('remove', whom)} onDone=${onChange} />`}
          </li>`,
      )}
    </ul>
    ${
      settings.write &&
      html`<form class="row" onSubmit=${onSubmit} aria-label="Share the image">
        <label class="grow">Login or account UUID
          <input name="entry" value=${entry} autocomplete="off" onInput=${(/** @type {any} */ event) => setEntry(event.target.value.trim())} />
        </label>
        <${Act} label="Share" of=${entry} disabled=${entry === ''} act=${() => change('add', entry)} onDone=${onAdded} />
      </form>`
    }
    </section>`;
}

/** @param {string} whom @param {readonly string[]} accepted @param {readonly string[]} left */
function answerOf(whom, accepted, left) {
  if (left.includes(whom)) return 'left';
  return accepted.includes(whom) ? 'accepted' : 'no answer';
}
