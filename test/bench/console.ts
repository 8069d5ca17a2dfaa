/**
 * The console's first view: from the navigation of a browser that has nothing of it yet until the list of images is drawn,
 * with few images and with many. Beside it a page that is nothing but such a list, which tells what the browser and the
 * machine take for themselves.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, type CDPSession, chromium } from 'playwright-core';
import { waitFor } from '../helpers/wait.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from '../needs-packages/console/chromium.ts';
import { missing } from '../needs-packages/installed.ts';
import { MANY } from './extent.ts';
import { filledFolder } from './filled.ts';
import { compare, type Figure, median, type Plan, type Results, type Sample, warm } from './measure.ts';
import { type Running, startServer, untilAtRest } from './server.ts';

const FEW = 100;
const ROWS = 50;
const MOST_MS = 200;
const MOST_KB = 100;

/**
 * Tells when the first row is on the screen: after the frame that drew it. Asking the page for it would have its thread
 * compile what asks, in the midst of what is measured.
 */
const WATCH = `new MutationObserver((_, watch) => {
  if (!document.querySelector('tbody tr a')) return;
  watch.disconnect();
  requestAnimationFrame(() => setTimeout(() => drawn(String(performance.now()))));
}).observe(document, { childList: true, subtree: true });`;

/** `value`: milliseconds since the navigation began; `aside`: of them, those that the page's thread was at work. */
interface View extends Sample {
  /** With headers. */
  readonly bytes: number;
}

export async function* benchConsole({ directory, profile, runs }: Plan): Results {
  const absent = missing('chromium');
  if (absent) {
    yield { name: "the console's first view", skipped: absent };
    return;
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: CHROMIUM_ARGUMENTS });
  const plain = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(PLAIN));
  const servers: Running[] = [];
  try {
    await once(plain.listen(0, '127.0.0.1'), 'listening');
    const { port } = plain.address() as AddressInfo;
    const counts = [FEW, MANY];
    const folders: string[] = [];
    for (const count of counts) folders.push(await filledFolder(directory, count));
    const start = (dataDir: string) => startServer({ name: 'bench-1', dataDir, ...(profile ? { profile } : {}) });
    servers.push(...(await Promise.all(folders.map(start))));
    await untilAtRest(servers.map(({ pid }) => pid));
    for (const [at, { url }] of servers.entries()) {
      yield* firstViews(browser, url, `${counts[at]} images`, `http://127.0.0.1:${port}/`, runs);
    }
  } finally {
    for (const server of servers) await server.stop();
    plain.close();
    await browser.close();
  }
}

const PLAIN = `<!DOCTYPE html><html lang="en"><title>Images</title><link rel="icon" href="data:,"><table><tbody>${Array.from(
  { length: ROWS },
  (_, index) => `<tr><th><a href="#${index}">image-${index}</a></th><td>1.0.0</td><td>smartos</td></tr>`,
).join('')}</tbody></table></html>`;

async function* firstViews(browser: Browser, url: string, what: string, plain: string, runs: number): Results {
  const bytes: number[] = [];
  const ours = async (): Promise<View> => {
    const view = await firstView(browser, `${url}/console/`);
    bytes.push(view.bytes);
    return view;
  };
  const name = `the console's first view, of ${what}`;
  const shown = { unit: 'ms', kind: 'limit', asideUnit: 'ms of the thread of the page', runs } as const;
  const against = { against: 'a page that is a list', target: MOST_MS };
  await warm(ours);
  yield await compare({ name, ...shown, ...against }, ours, () => firstView(browser, plain));
  yield sized(`${name}: bytes`, median(bytes) / 1000, bytes.length);
}

/** In a context of its own, which has no cache yet. */
async function firstView(browser: Browser, url: string): Promise<View> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(WATCH);
    const session = await context.newCDPSession(page);
    const counted = await countBytes(session);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    await session.send('Runtime.enable');
    await session.send('Runtime.addBinding', { name: 'drawn' });
    let drawnAt: string | undefined;
    session.once('Runtime.bindingCalled', ({ payload }) => {
      drawnAt = payload;
    });
    await page.goto(url);
    const value = Number(await waitFor('the list', () => drawnAt));
    const { metrics } = await session.send('Performance.getMetrics');
    const seconds = metrics.find((metric) => metric.name === 'TaskDuration')?.value ?? Number.NaN;
    return { value, aside: seconds * 1000, bytes: counted() };
  } finally {
    await context.close();
  }
}

/** Returns a function that says how many have come so far. */
async function countBytes(session: CDPSession): Promise<() => number> {
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await session.send('Network.enable');
  return () => bytes;
}

function sized(name: string, ours: number, runs: number): Figure {
  return {
    name,
    ours,
    unit: 'kB',
    target: MOST_KB,
    kind: 'limit',
    against: '',
    theirs: Number.NaN,
    ratio: Number.NaN,
    runs,
  };
}
