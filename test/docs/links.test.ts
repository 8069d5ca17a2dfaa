import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'tap';

const PAGES = ['README.md', ...globSync('docs/**/*.md').toSorted()].filter((page) => existsSync(page));

/** Text that markdown reads, without code, in which brackets mean nothing. */
function prose(page: string): string {
  return readFileSync(page, 'utf8')
    .replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '')
    .replaceAll(/`[^`\n]*`/g, 'code');
}

/** Targets of `[text](target)` and of `[label]: target`. */
function targets(page: string): string[] {
  const text = prose(page);
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const references = [...text.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm)];
  return [...inline, ...references].map((match) => match[1] ?? '');
}

/** Anchors as they are made of headings: lower case, punctuation gone, spaces to hyphens, numbered when repeated. */
function anchors(page: string): Set<string> {
  const seen = new Map<string, number>();
  const made = new Set<string>();
  const raw = readFileSync(page, 'utf8').replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '');
  for (const [, heading = ''] of raw.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
    const anchor = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    made.add(times === 0 ? anchor : `${anchor}-${times}`);
  }
  for (const [, id = ''] of raw.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) made.add(id);
  return made;
}

function problemOf(page: string, target: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return undefined;
  const [path = '', anchor] = decodeURIComponent(target).split('#');
  const file = path === '' ? page : join(dirname(page), path);
  if (!existsSync(file)) return `${page}: ${target} leads nowhere`;
  const isPage = file.endsWith('.md') && statSync(file).isFile();
  if (anchor && isPage && !anchors(file).has(anchor)) return `${page}: ${target} names a heading that is not there`;
  return undefined;
}

test('every relative link of the documentation leads somewhere', async (t) => {
  const problems = PAGES.flatMap((page) => targets(page).map((target) => problemOf(page, target)));
  t.strictSame(problems.filter(Boolean), []);
});
