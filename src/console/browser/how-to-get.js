/** The commands that bring an image to where it is wanted. */
import { standardChannel } from './api.js';
import { html } from './html.js';

/** @param {{ image: import('./api.js').Image, settings: import('./api.js').Settings }} props */
export function HowToGet({ image, settings }) {
  const { uuid, name, files } = image;
  const server = settings.url ?? new URL('..', location.href.replace(/[?#].*/, '')).href.replace(/\/$/, '');
  const channel = channelOf(image, settings);
  const source = channel === undefined ? server : `'${server}?channel=${channel}'`;
  const address = `${server}/images/${uuid}/file`;
  const file = `${name.replace(/[^A-Za-z0-9._-]/g, '-').slice(0, 100)}.img`;
  return html`
    <h2>How to get it</h2>
    <p>On SmartOS:</p>
    <pre tabindex="0">imgadm import -S ${source} ${uuid}</pre>
    <p>Into Triton, on the head node:</p>
    <pre tabindex="0">sdc-imgadm import ${uuid} -S ${source}</pre>
    ${
      files.length > 0 &&
      html`<p>The file alone:</p>
        <pre tabindex="0">curl -fo ${file} ${channel === undefined ? address : `'${address}?channel=${channel}'`}</pre>`
    }`;
}

/** The one that has to be named: the image is not in that of requests which name none. */
function channelOf(
  /** @type {import('./api.js').Image} */ { channels: own = [] },
  /** @type {import('./api.js').Settings} */ settings,
) {
  const standard = standardChannel(settings);
  return !settings.channels || (standard !== undefined && own.includes(standard)) ? undefined : own[0];
}
