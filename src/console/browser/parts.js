/** The views that are loaded when they are wanted, or when the first one has been. */
import { html } from './html.js';
import { Status, useLoaded } from './loading.js';

/** @type {Readonly<Record<string, () => Promise<(props: any) => unknown>>>} */
const LOADERS = {
  image: () => import('./image-view.js').then(({ ImageView }) => ImageView),
  copies: () => import('./copies-view.js').then(({ CopiesView }) => CopiesView),
  datacenters: () => import('./links-view.js').then(({ LinksView }) => LinksView),
  tasks: () => import('./tasks-view.js').then(({ TasksView }) => TasksView),
  metrics: () => import('./metrics-view.js').then(({ MetricsView }) => MetricsView),
};

/** Those that are here. @type {Map<string, (props: any) => unknown>} */
const loaded = new Map();

/** @param {string} name */
async function load(name) {
  try {
    const view = await LOADERS[name]?.();
    if (view) loaded.set(name, view);
    return name;
  } catch (error) {
    throw new Error('The server cannot be reached.', { cause: error });
  }
}

/** Each that there is for this person, so that none has to be waited for later. @param {boolean} isOperator */
export function loadParts(isOperator) {
  const names = isOperator ? Object.keys(LOADERS) : ['image'];
  // Whoever wants one of them is told.
  for (const name of names) load(name).catch(() => undefined);
}

/** @param {{ name: string } & Record<string, unknown>} props */
export function Part({ name, ...props }) {
  const loading = useLoaded(() => load(name), [name]);
  const View = loaded.get(name);
  return View ? html`<${View} ...${props} />` : html`<${Status} of=${loading} />`;
}
