/** What operators are told to watch for is there: metrics and tasks by their names, lines of the log by their words. */
import { globSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { storeMetrics } from '#src/service/store-metrics.ts';

const PAGES = globSync(
  'docs/{events,webhooks,operator-guide,many-processes,migrating,three-machines,taking-over,triton,engines/*}.md',
);
const SOURCES = globSync('{src,lib}/**/*.ts').map((file) => readFileSync(file, 'utf8'));

/** Texts in `code` of the whole page, without its fenced blocks. */
function codeOf(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
}

test('every metric that a page names is there', async (t) => {
  const made: string[] = [];
  const registry = { registerMetric: ({ name }: { name: string }) => made.push(name) };
  for (const kind of ['document', 'object', 'account'] as const) storeMetrics(registry as never, kind);
  const isThere = (name: string) => made.includes(name) || SOURCES.some((text) => text.includes(`'${name}'`));
  let count = 0;
  for (const page of PAGES) {
    for (const [name] of readFileSync(page, 'utf8').matchAll(
      /\b[a-z]+(?:_[a-z]+)*_(?:total|seconds|completed|workers)\b/g,
    )) {
      count += 1;
      t.ok(isThere(name), `${page}: ${name}`);
    }
  }
  t.ok(count > 15);
});

test('every line of the log, and every message, that a table tells of is there', async (t) => {
  let count = 0;
  for (const page of PAGES) {
    const cells = readFileSync(page, 'utf8')
      .split('\n')
      .flatMap((line) => /^\| (.*?) \|/.exec(line)?.[1] ?? []);
    for (const message of cells.flatMap(codeOf).filter((code) => /^[a-zM]\w*(?: [^ ]+){3,}$/.test(code))) {
      count += 1;
      const words = message.replaceAll('…', '').split(/\s+/);
      const runs = words.slice(2).map((_, at) => words.slice(at, at + 3).join(' '));
      t.ok(
        runs.some((run) => SOURCES.some((text) => text.includes(run))),
        `${page}: ${message}`,
      );
    }
  }
  t.ok(count > 8, `${count} messages`);
});

test('every task that a page names is there', async (t) => {
  const table = readFileSync('src/maintenance/tasks/table.ts', 'utf8');
  const named = PAGES.flatMap((page) => [...readFileSync(page, 'utf8').matchAll(/\btask\s+`([\w-]+)`/g)]);
  t.ok(named.length > 4);
  for (const [, task = ''] of named) t.ok(table.includes(`name: '${task}'`), task);
});

test('the page of each engine has the same sections', async (t) => {
  for (const page of PAGES.filter((name) => name.startsWith('docs/engines/'))) {
    const headings = [...readFileSync(page, 'utf8').matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    for (const heading of ['Set up', 'Rights', 'What to watch', 'Back up', 'What breaks how']) {
      t.ok(headings.includes(heading), `${page}: ${heading}`);
    }
  }
});
