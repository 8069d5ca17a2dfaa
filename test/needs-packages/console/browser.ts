/** Debian's Chromium, for tests that look at what people see. */
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { temporaryFolder } from '../../helpers/imgapi.ts';
import { CHROMIUM, CHROMIUM_ARGUMENTS } from './chromium.ts';

const PICTURES = fileURLToPath(new URL('../../../build/console/', import.meta.url));
/** On a busy machine. */
const PATIENCE_MS = 60_000;
const AXE = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'));

export interface Browser {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What went wrong in the page so far: errors of scripts, and what the guard of the content refused. */
  readonly faults: string[];
  /** Addresses that were asked for, other than those of the server. */
  readonly foreign: string[];
}

/** A browser that nobody used before; it is closed with the test. */
export async function openBrowser(t: Test, url: string): Promise<Browser> {
  const context = await chromium.launchPersistentContext(await temporaryFolder(t, 'imgapi-browser'), {
    executablePath: CHROMIUM,
    args: CHROMIUM_ARGUMENTS,
    viewport: { width: 1280, height: 800 },
    timeout: PATIENCE_MS,
  });
  t.teardown(() => context.close());
  context.setDefaultTimeout(PATIENCE_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  const faults: string[] = [];
  const foreign: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // What the server refuses is shown to people, and logged by the browser as well.
    const isOurs = !message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && isOurs) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`)) foreign.push(request.url());
  });
  return { context, page, faults, foreign };
}

/** Kept below `build/console/`, to be looked at. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}${name}.png`, fullPage: true });
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** In the colours of the day and of the night. */
export async function pictures(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `${name}-${colorScheme}`);
  }
}

/** What WCAG AA finds fault with in the page as it is now. */
export async function barriers(page: Page): Promise<string[]> {
  // By the debugger, which the guard of the content does not concern.
  await page.evaluate(await readFile(AXE, 'utf8'));
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const results = (await page.evaluate(`axe.run(document, { runOnly: ${JSON.stringify(tags)} })`)) as AxeResults;
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  );
}
