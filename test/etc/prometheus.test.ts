/** What Prometheus and Grafana are given, against the metrics of a real server, and against the runbook. */
import { readFileSync } from 'node:fs';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { parse } from 'yaml';
import * as documentErrors from '#lib/documents/errors.ts';
import * as objectErrors from '#lib/objects/errors.ts';
import { startFleet } from '../src/service/supervisor/fleet.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string };
}

const { groups } = parse(readFileSync('etc/prometheus/imgapi.rules.yml', 'utf8')) as { groups: { rules: Rule[] }[] };
const RULES = groups.flatMap(({ rules }) => rules);
const DASHBOARD = readFileSync('etc/grafana/imgapi.json', 'utf8');
const EXPRESSIONS: readonly string[] = [
  ...RULES.map(({ expr }) => expr),
  ...[...DASHBOARD.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, text = '']) => JSON.parse(text) as string),
  ...[...DASHBOARD.matchAll(/label_values\((\w+),/g)].map(([, name = '']) => name),
];
/** What Prometheus says itself of what it asks. */
const OF_PROMETHEUS: ReadonlySet<string> = new Set(['up']);

/** Names of metrics in a query: words that are neither functions, labels, nor texts. */
function metricsOf(expression: string): string[] {
  const bare = expression
    .replaceAll(/"(?:[^"\\]|\\.)*"/g, '')
    .replaceAll(/\{[^}]*\}/g, '')
    .replaceAll(/\b(?:by|on) \([^)]*\)/g, '')
    .replaceAll(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/\b[a-z]\w*\b(?!\s*\()/gi)].map(([name]) => name).filter((name) => !WORDS.has(name));
}

const WORDS: ReadonlySet<string> = new Set(['by', 'or', 'and', 'sum', 'max', 'min', 'e9', 'unless', 'offset']);

async function realMetrics(t: Test): Promise<{ readonly names: Set<string>; readonly text: string }> {
  const { metricsUrl, url } = await startFleet(t, 1);
  const listed = await request(`${url}/images`);
  await listed.body.dump();
  const text = await (await request(metricsUrl)).body.text();
  const names = new Set<string>();
  for (const [, name = '', type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
    names.add(name);
    if (type === 'histogram') for (const part of ['bucket', 'sum', 'count']) names.add(`${name}_${part}`);
  }
  return { names, text };
}

/** Known only once a pass over all files has ended. */
const LATER: ReadonlySet<string> = new Set(['imgapi_scrub_last_pass_timestamp_seconds']);

test('every metric that an alert or a panel asks for is one that a server answers', async (t) => {
  const { names, text } = await realMetrics(t);
  const asked = new Set(EXPRESSIONS.flatMap(metricsOf));
  t.ok(asked.size > 20, [...asked].join(', '));
  for (const name of asked) t.ok(names.has(name) || LATER.has(name) || OF_PROMETHEUS.has(name), name);
  t.ok(names.has('imgapi_state_counted_timestamp_seconds'), 'state as well');
  t.match(text, /^imgapi_store_free_bytes\{store="local",datacenter="test-1".*\} \d+/m);
});

test('every metric has the labels by which an alert or a panel chooses, groups or names it', async (t) => {
  const { text } = await realMetrics(t);
  let looked = 0;
  for (const expression of EXPRESSIONS) {
    const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/, */));
    for (const [, name = '', chosen = ''] of expression.matchAll(/\b([a-z]\w+)\{([^}]*)\}/g)) {
      const line = text.match(new RegExp(`^${name}(?:\\{.*)? `, 'm'))?.[0];
      if (line === undefined) continue;
      const wanted = [...chosen.matchAll(/(\w+)[=!]~?"/g)].map(([, label = '']) => label);
      for (const label of [...wanted, ...grouped]) t.match(line, new RegExp(`[{,]${label}="`), `${name}: ${label}`);
      looked += wanted.length;
    }
  }
  t.ok(looked > 20, `${looked} labels`);
});

test('every result that an alert names is one that an operation can have', async (t) => {
  const errors = new Set([...Object.keys(documentErrors), ...Object.keys(objectErrors), 'other', 'ok']);
  const named = RULES.flatMap(({ expr }) => [...expr.matchAll(/result=~"([^"]+)"/g)].map(([, names = '']) => names));
  t.ok(named.length > 1);
  for (const name of named.flatMap((names) => names.split('|'))) t.ok(errors.has(name), name);
});

test('every alert has an entry in the runbook, and every entry an alert', async (t) => {
  const runbook = readFileSync('docs/runbook.md', 'utf8');
  const entries = [...runbook.matchAll(/^### (Imgapi\w+)$/gm)].map(([, name]) => name);
  t.strictSame(entries.toSorted(), RULES.map(({ alert }) => alert).toSorted());
  for (const { alert, labels, annotations } of RULES) {
    t.match(labels.severity, /^(page|ticket)$/, alert);
    t.ok(annotations.summary.length > 10, alert);
  }
});
