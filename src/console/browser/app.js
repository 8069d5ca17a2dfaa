/** The console: which view is shown. It is made of plain modules, as a browser reads them; nothing is built. */
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import { ask } from './api.js';
import { CopiesView } from './copies-view.js';
import { html } from './html.js';
import { ImageView } from './image-view.js';
import { askForImages, ImagesView } from './images-view.js';
import { LinksView } from './links-view.js';
import { Status, useLoaded } from './loading.js';
import { LogIn, LogOut } from './login.js';
import { MetricsView } from './metrics-view.js';
import { currentRoute, hrefOf, useRoute } from './route.js';
import { TasksView } from './tasks-view.js';

const VIEWS = { images: 'Images', copies: 'Copies', datacenters: 'Datacenters', tasks: 'Tasks', metrics: 'Metrics' };

function App() {
  const settings = useLoaded(
    async (signal) =>
      /** @type {import('./api.js').Settings} */ ((await ask('console/settings.json', { signal })).value),
    [],
  );
  return settings.value
    ? html`<${Console} settings=${settings.value} />`
    : html`<main><${Status} of=${settings} /></main>`;
}

/** @param {{ settings: import('./api.js').Settings }} props */
function Console({ settings }) {
  const { path, query } = useRoute();
  const [view = 'images', one] = path;
  const { datacenter, version, user } = settings;
  useEffect(() => {
    document.title = `${view === 'login' ? view : (one ?? view)} · ${datacenter ?? 'IMGAPI'}`;
  }, [view, one, datacenter]);
  return html`
    <a class="skip" href="#main" onClick=${toMain}>Skip to the content</a>
    <header>
      <a class="brand" href=${hrefOf([])}>${datacenter ?? 'Images'}</a>
      <nav aria-label="Views">
        ${Object.entries(VIEWS)
          .filter(([name]) => settings.operator || name === 'images')
          .map(
            ([name, label]) =>
              html`<a key=${name} href=${hrefOf([name])} aria-current=${view === name ? 'page' : undefined}>${label}</a>`,
          )}
      </nav>
      ${user && html`<${LogOut} user=${user} />`}
    </header>
    <main id="main" tabindex="-1">
      <${View} view=${view} one=${one} query=${query} settings=${settings} />
    </main>
    <footer class="quiet">IMGAPI ${version} · <a href="../docs/">API</a></footer>`;
}

/** The address says which view is shown, so the link itself must not change it. @param {Event} event */
function toMain(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/**
 * @param {{ view: string, one: string | undefined, query: Readonly<Record<string, string>>,
 *   settings: import('./api.js').Settings }} props
 */
function View({ view, one, query, settings }) {
  if (view === 'images' && one) return html`<${ImageView} uuid=${one} query=${query} settings=${settings} />`;
  if (view === 'images') return html`<${ImagesView} query=${query} settings=${settings} />`;
  if (view === 'login') return html`<${LogIn} token=${one ?? ''} />`;
  if (settings.operator) {
    if (view === 'copies') return html`<${CopiesView} settings=${settings} />`;
    if (view === 'datacenters') return html`<${LinksView} />`;
    if (view === 'tasks') return html`<${TasksView} />`;
    if (view === 'metrics') return html`<${MetricsView} />`;
  }
  return html`<h1>Not here</h1><p>There is no view of this name. <a href=${hrefOf(['images'])}>All images</a></p>`;
}

const place = document.getElementById('app');
if (place) {
  const { path, query } = currentRoute();
  const [view = 'images', one] = path;
  if (view === 'images' && one === undefined) askForImages(query);
  place.replaceChildren();
  render(html`<${App} />`, place);
}
