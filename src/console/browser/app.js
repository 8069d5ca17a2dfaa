/**
 * The console: which view is shown. It is made of plain modules, as a browser reads them; nothing is built. The list of
 * images comes first, and other views when it is there.
 */
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { answered, ask, askEarly } from './api.js';
import { html } from './html.js';
import { askForImages, ImagesView } from './images-view.js';
import { Status, useLoaded } from './loading.js';
import { LogIn, LogOut } from './login.js';
import { loadParts, Part } from './parts.js';
import { currentRoute, hrefOf, useRoute } from './route.js';

const VIEWS = { images: 'Images', copies: 'Copies', datacenters: 'Datacenters', tasks: 'Tasks', metrics: 'Metrics' };

/** The first view has the line for itself. */
const PARTS_AFTER_MS = 1000;
/** A page is drawn once, with all that is on it, if that comes so soon. */
const SOON_MS = 200;
const SETTINGS = 'console/settings.json';

function App() {
  const settings = useLoaded(
    async (signal) => /** @type {import('./api.js').Settings} */ ((await ask(SETTINGS, { signal })).value),
    [],
    undefined,
    () => /** @type {import('./api.js').Settings | undefined} */ (answered(SETTINGS)?.value),
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
    document.title = `${VIEWS[/** @type {keyof typeof VIEWS} */ (view)] ?? view} · ${datacenter ?? 'IMGAPI'}`;
  }, [view, one, datacenter]);
  useEffect(() => {
    const timer = setTimeout(() => loadParts(settings.operator), PARTS_AFTER_MS);
    return () => clearTimeout(timer);
  }, [settings.operator]);
  const isFirst = useRef(true);
  // What was followed is gone: the keyboard, and who listens, go on at the beginning of what is there now.
  useEffect(() => {
    if (!isFirst.current) {
      document.getElementById('main')?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirst.current = false;
  }, [view, one, query['after']]);
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
    <footer class="quiet">IMGAPI ${version} · <a href="../docs/">API</a>${settings.operator && !settings.write && ' · nothing can be changed here'}</footer>`;
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
  if (view === 'images' && one) return html`<${Part} key=${one} name="image" uuid=${one} settings=${settings} />`;
  if (view === 'images') return html`<${ImagesView} query=${query} settings=${settings} />`;
  if (view === 'login') return html`<${LogIn} token=${one ?? ''} />`;
  if (settings.operator && Object.hasOwn(VIEWS, view)) {
    return html`<${Part} key=${view} name=${view} query=${query} settings=${settings} />`;
  }
  return html`<h1>Not here</h1><p>There is no view of this name. <a href=${hrefOf(['images'])}>All images</a></p>`;
}

/** @param {HTMLElement} place */
async function start(place) {
  const { path, query } = currentRoute();
  const [view = 'images', one] = path;
  const first = [askEarly(SETTINGS)];
  if (view === 'images' && one === undefined) first.push(askForImages(query));
  await Promise.race([Promise.all(first), new Promise((resolve) => setTimeout(resolve, SOON_MS))]);
  place.replaceChildren();
  render(html`<${App} />`, place);
}

const place = document.getElementById('app');
if (place) void start(place);
