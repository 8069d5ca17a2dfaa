/** Texts that are made to keep a process busy: what a client may send is read in time that grows with its length. */
import { globSync, readFileSync } from 'node:fs';
import { parse } from 'node:querystring';
import t from 'tap';
import { nextLink } from '#lib/client/paging.ts';
import { verifyPresigned } from '#lib/signing/presigned.ts';
import { parseJsonText } from '#lib/text/json.ts';
import { redact } from '#lib/text/redact.ts';
import { withoutEnd } from '#lib/text/without-end.ts';

/** Milliseconds of this process alone: others may have the machine. */
function cost(work: () => unknown): number {
  const before = process.cpuUsage();
  try {
    work();
  } catch {
    // Refused, which is as good.
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

const MANY = 1_000_000;
const WITHIN_MS = 1500;

t.test('a number of a million digits is read or refused at once', async (t) => {
  const zeros = '0'.repeat(MANY);
  const nines = '9'.repeat(MANY);
  for (const number of [
    `1${zeros}1`,
    `0.1${zeros}1`,
    nines,
    `1e${nines}`,
    `1e-${nines}`,
    `1e-${zeros}1`,
    `0.${zeros}1e${nines}`,
  ]) {
    t.ok(cost(() => parseJsonText(`{"a":${number}}`)) < WITHIN_MS, `${number.slice(0, 5)}…`);
  }
  t.same(parseJsonText(`[1e-${'0'.repeat(50)}1, 1${'0'.repeat(20)}]`), [0.1, 1e20]);
});

t.test('texts of one thing many times are read at once', async (t) => {
  const length = 32_000;
  const parts = [
    '=',
    ' ',
    ' ,',
    '<',
    '<;',
    ';account[',
    '; account',
    ':',
    'http:',
    'a://',
    '@',
    '?a',
    '&a=',
    '%3D',
    '"',
    '\\',
    '.',
    ')',
  ];
  const request = (path: string) => ({ method: 'GET', path, headers: { host: 'x' } });
  const presigned = (method: string) =>
    verifyPresigned(
      request(`/x?${new URLSearchParams({ method, keyId: 'a', algorithm: 'x', signature: 'AAAA', expires: '1' })}`),
      {
        findKeys: () => [],
      } as never,
    ).catch(() => undefined);
  for (const part of parts) {
    const text = `${part.repeat(length / part.length)}x`;
    for (const [what, read] of [
      ['redact', () => redact(`http://u:p@h/${text} ${text}`)],
      ['Link', () => nextLink(text)],
      ['a signed URL', () => presigned(text)],
      ['a query', () => parse(text)],
      ['JSON', () => parseJsonText(JSON.stringify({ [text]: text }))],
    ] as const) {
      t.ok(cost(read) < 300, `${what}: ${part}`);
    }
  }
});

t.test('what a text ends with is cut off, and nothing else', async (t) => {
  t.equal(withoutEnd('a==b==', '='), 'a==b');
  t.equal(withoutEnd('////', '/'), '');
  t.equal(withoutEnd('', '/'), '');
  t.equal(withoutEnd('x.,', ',.'), 'x');
});

/** Regular expressions as they stand in the sources, each with the first file that has it. */
function patterns(): Map<string, string> {
  const literal = /(?<![\w)\]}*/])\/(?![*/ ])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;
  const found = new Map<string, string>();
  for (const file of globSync('{src,lib}/**/*.ts')) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (/^\s*(?:\*|\/[/*])|^import|from '/.test(line)) continue;
      for (const [pattern] of line.replaceAll(/'(?:[^'\\]|\\.)*'|`[^`]*`/g, "''").matchAll(literal)) {
        if (!found.has(pattern) && isPattern(pattern)) found.set(pattern, file);
      }
    }
  }
  return found;
}

function isPattern(source: string): boolean {
  const [, body = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(source) ?? [];
  try {
    return new RegExp(body, flags).source !== '';
  } catch {
    // Parts of two in one line.
    return false;
  }
}

const UNITS = [
  ' ',
  '"',
  '=',
  ':',
  '/',
  ';',
  ',',
  '.',
  '0',
  'a',
  'A',
  '[',
  '%',
  '-',
  '<',
  '\\',
  '@',
  '\t',
  '(',
  ', ',
  '" ',
  'a"',
  '/a',
  '\\*',
  '/[',
];

/** Of one attack, the least of a few tries, in milliseconds: what the machine does beside is not to count. */
function timeOf(pattern: RegExp, text: string, enough: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 4 && least > enough; tries += 1) {
    const begin = performance.now();
    if (pattern.global) text.replace(pattern, '');
    else pattern.exec(text);
    pattern.lastIndex = 0;
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}

t.test('no pattern of the sources takes time that grows with the square of a text', async (t) => {
  const found = patterns();
  t.ok(found.size > 100, `${found.size} patterns`);
  const length = 8000;
  // Where it grows with the square, 30 million steps: tens of milliseconds.
  const most = 15;
  for (const [source, file] of found) {
    const [, body = '', flags = ''] = /^\/(.*)\/([a-z]*)$/s.exec(source) ?? [];
    const words = [...body.matchAll(/[a-zA-Z:;]{2,}/g)].map(([word]) => word);
    let worst = 0;
    let by = '';
    for (const unit of [...UNITS, ...words, ...words.map((word) => `${word}[`)]) {
      // What a pattern begins with may have to be there before the rest of it is tried.
      for (const start of ['', 'a', ...words.slice(0, 1).map((word) => `${word} a`)]) {
        const text = `${start}${unit.repeat(length / unit.length)}\u0001`;
        const took = timeOf(new RegExp(body, flags), text, most);
        if (took > worst) [worst, by] = [took, unit];
      }
    }
    t.ok(worst < most, `${file}: ${source} takes ${worst.toFixed(1)} ms for ${JSON.stringify(by)}`);
  }
});
