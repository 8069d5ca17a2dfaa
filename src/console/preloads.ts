/**
 * Which modules the page loads. Named in the page, they are fetched at once; a browser would find them only one after the
 * other, by reading those that import them.
 */

/** `from "./html.js"`; what is imported only when it is needed, by `import()`, is not fetched before. */
const IMPORT = /\bfrom\s*["'](\.\/[^"']+)["']/g;

/** Where they belong in the page. */
const PLACE = '<!-- modules -->';

/** Paths of all that a module imports, directly or not, without itself. @param texts by path */
export function importedBy(entry: string, texts: ReadonlyMap<string, string>): string[] {
  const found = new Set([entry]);
  // The set grows meanwhile, and what is added is visited too.
  for (const path of found) {
    for (const [, name = ''] of (texts.get(path) ?? '').matchAll(IMPORT)) {
      found.add(new URL(name, `http://console/${path}`).pathname.slice(1));
    }
  }
  found.delete(entry);
  return [...found];
}

/** @throws if the page has no place for them */
export function withPreloads(page: string, paths: readonly string[]): string {
  if (!page.includes(PLACE)) throw new Error(`the page of the console has no ${PLACE}`);
  return page.replace(PLACE, paths.map((path) => `<link rel="modulepreload" href="${path}">`).join('\n'));
}
