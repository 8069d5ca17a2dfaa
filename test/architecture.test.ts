/** The rules of docs/design.md on who may import whom, read from the imports themselves. */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'tap';

const LONGEST_FILE = 400;
const FILES = globSync('{src,lib}/**/*.ts').toSorted();

/** A package's name, or the path of a file from the root. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g);
  return [...found].map(([, , specifier = '']) => resolved(file, specifier));
}

function resolved(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return relative('.', join(dirname(file), specifier));
  if (specifier.startsWith('#')) return specifier.slice(1);
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

const IMPORTS = new Map(FILES.map((file) => [file, importsOf(file)]));

function isBelow(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** The imports that break a rule, as `importer -> imported`. */
function breaches(breaks: (importer: string, imported: string) => boolean): string[] {
  return [...IMPORTS].flatMap(([importer, imported]) =>
    imported.filter((path) => breaks(importer, path)).map((path) => `${importer} -> ${path}`),
  );
}

/** Files directly below src/, such as its composition and the types that all share, are one part each. */
function partOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

test('imports are found at all', async (t) => {
  t.ok(FILES.length > 0);
  t.ok([...IMPORTS.values()].flat().some((path) => path.startsWith('lib/')));
});

test('lib never imports src', async (t) => {
  t.strictSame(
    breaches((importer, imported) => isBelow(importer, 'lib') && isBelow(imported, 'src')),
    [],
  );
});

test('nothing imports tests', async (t) => {
  t.strictSame(
    breaches((_, imported) => isBelow(imported, 'test')),
    [],
  );
});

test('servers are made in one place, because restify changes what node:http gives all others', async (t) => {
  const served = FILES.filter((file) => isBelow(file, 'src', 'lib')).filter((file) => {
    const text = readFileSync(file, 'utf8');
    return /\bcreateServer\b|\bcreateSecureServer\b|new (Http)?Server\(/.test(text) && !file.endsWith('.d.ts');
  });
  t.strictSame(served, ['src/http-kit/server.ts']);
  const chained = FILES.filter((file) => /writeHead\([^;]*\)\s*\.\w/.test(readFileSync(file, 'utf8')));
  t.strictSame(
    chained.filter((file) => isBelow(file, 'src', 'lib')),
    [],
    'what restify makes of writeHead answers nothing',
  );
});

/** What the clients share with the service: how an HTTP server of this house is made, and nothing that it serves. */
const SHARED_WITH_CLIENTS: Readonly<Record<string, readonly string[]>> = {
  'src/cli': ['src/service/config'],
  'src/cloudapi': ['src/http-kit', 'src/service/config', 'src/service/server-process.ts'],
};

test('the command lines and CloudAPI are clients: they know IMGAPI by its HTTP interface alone', async (t) => {
  for (const [folder, shared] of Object.entries(SHARED_WITH_CLIENTS)) {
    t.strictSame(
      breaches(
        (importer, imported) =>
          isBelow(importer, folder) && isBelow(imported, 'src') && !isBelow(imported, folder, ...shared),
      ),
      [],
    );
  }
});

test('the HTTP kit knows no image, nor anything else that is served with it', async (t) => {
  t.strictSame(
    breaches(
      (importer, imported) =>
        isBelow(importer, 'src/http-kit') && isBelow(imported, 'src') && !isBelow(imported, 'src/http-kit'),
    ),
    [],
  );
});

test('only src/http-kit and src/main.ts know the HTTP framework', async (t) => {
  t.strictSame(
    breaches((importer, imported) => imported === 'restify' && !isBelow(importer, 'src/http-kit', 'src/main.ts')),
    [],
  );
});

test('only lib knows a backend', async (t) => {
  const homes: Readonly<Record<string, readonly string[]>> = {
    'better-sqlite3': ['lib/documents'],
    kysely: ['lib/documents'],
    pg: ['lib/documents'],
    moray: ['lib/documents'],
    manta: ['lib/objects'],
    '@aws-sdk/client-s3': ['lib/objects'],
    ldapts: ['lib/accounts'],
  };
  t.strictSame(
    breaches((importer, imported) => {
      const home = Object.hasOwn(homes, imported) ? homes[imported] : undefined;
      return home !== undefined && !isBelow(importer, ...home);
    }),
    [],
  );
});

test('no file is too long to be read in one go', async (t) => {
  const long = [...FILES, ...globSync('test/**/*.ts')]
    .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST_FILE);
  t.strictSame(long, []);
});

test('the parts of src and of lib do not import each other in a circle', async (t) => {
  const needs = new Map<string, Set<string>>();
  for (const [importer, imported] of IMPORTS) {
    const part = partOf(importer);
    const others = imported.filter((path) => isBelow(path, 'src', 'lib')).map(partOf);
    const known = needs.get(part) ?? new Set();
    for (const other of others) if (other !== part) known.add(other);
    needs.set(part, known);
  }
  t.strictSame(circles(needs), []);
});

/** Each circle once, from its first part in alphabetical order. */
function circles(needs: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found = new Set<string>();
  const visit = (start: string, path: readonly string[]): void => {
    for (const next of needs.get(path.at(-1) ?? '') ?? []) {
      if (next === start) found.add([...path, start].join(' -> '));
      else if (next > start && !path.includes(next)) visit(start, [...path, next]);
    }
  };
  for (const start of needs.keys()) visit(start, [start]);
  return [...found].toSorted();
}

/** What stands between the parentheses that open at `start`, taken apart at the commas of the outer level. */
function argumentsAt(text: string, start: number): string[] {
  const found = [''];
  let depth = 0;
  for (const character of text.slice(start)) {
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (depth === 0) break;
    if (character === ',' && depth === 1) found.push('');
    else found[found.length - 1] += character;
  }
  return found.map((argument) => argument.replace(/^\(/, '').trim());
}

/** Calls of the platform's timers whose time is no constant of the code, as `file: time`. */
function computedTimes(file: string): string[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  // Under whatever name a file knows the timers that are promises.
  const promised = /import \{ setTimeout as (\w+)/.exec(text)?.[1];
  const calls = new RegExp(
    // A connection's own limit is at most a day by its schema.
    `(?<!socket\\.)\\b(setTimeout|setInterval|AbortSignal\\.timeout${promised ? `|${promised}` : ''})\\(`,
    'g',
  );
  return [...text.matchAll(calls)].flatMap(({ 0: call, 1: name, index }) => {
    const given = argumentsAt(text, index + call.length - 1);
    const time = (name === 'setTimeout' || name === 'setInterval' ? given[1] : given[0]) ?? '';
    return /^[A-Z0-9_\s+*/().-]+$/.test(time) ? [] : [`${file}: ${call}${time})`];
  });
}

test('times that are configured or computed go through timers that honour them', async (t) => {
  const files = FILES.filter((file) => file !== 'lib/runtime/timers.ts');
  t.strictSame(files.flatMap(computedTimes), []);
  t.match(
    computedTimes('lib/runtime/timers.ts').join(),
    /AbortSignal\.timeout\(Math\.ceil/,
    'it finds what it looks for',
  );
});
