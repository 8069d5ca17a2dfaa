/** Logging in with what `imgapiadm console-login` printed, and out. */
import { ask } from './api.js';
import { html } from './html.js';
import { HowToLogIn, useLoaded } from './loading.js';
import { hrefOf } from './route.js';
import { Act } from './writing.js';

/** The token leaves the address at once: it is in no history, and, behind the #, was in no log. @param {{ token: string }} props */
export function LogIn({ token }) {
  const loaded = useLoaded(async () => {
    history.replaceState(null, '', hrefOf(['login']));
    await ask('console/login', { method: 'POST', json: { token } });
    history.replaceState(null, '', hrefOf(['images']));
    location.reload();
  }, [token]);
  if (!loaded.error) return html`<p class="quiet" role="status">Logging in …</p>`;
  return html`
    <h1>Log in</h1>
    <p class="problem" role="alert">${loaded.error.message}</p>
    <p><${HowToLogIn} /></p>`;
}

/** @param {{ user: string }} props */
export function LogOut({ user }) {
  const leave = () => ask('console/logout', { method: 'POST' });
  return html`<span class="quiet">${user} <${Act} label="Log out" act=${leave} onDone=${() => location.reload()} /></span>`;
}
