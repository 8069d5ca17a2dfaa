/**
 * The rules of docs/design.md that can be read from the sources. Who may import whom is in `.dependency-cruiser.json`,
 * which `make check` holds the code to; here each of its rules is shown to find what it forbids.
 */
import { globSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser';
import { test } from 'tap';
import config from '../.dependency-cruiser.json' with { type: 'json' };

const LONGEST_FILE = 400;
const FILES = globSync('{src,lib}/**/*.ts').toSorted();

function isBelow(path: string, ...folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** Files that break the rules, each once: what they import, and the rules that say so. Types, unless only values break it. */
const BREACHES: Readonly<Record<string, readonly [imported: string, rule: string, only?: 'values']>> = {
  'lib/text/one.ts': ['./other.ts', 'no-circles'],
  'lib/manifest/below.ts': ['../documents/a.ts', 'no-circles-of-parts'],
  'lib/text/nowhere.ts': ['./nowhere-at-all.ts', 'resolvable'],
  'lib/text/up.ts': ['../../src/service/a.ts', 'lib-stands-alone'],
  'src/images/tested.ts': ['../../test/a.ts', 'nothing-from-tests'],
  'src/images/sql.ts': ['better-sqlite3', 'backends-in-lib: documents'],
  'src/images/s3.ts': ['@aws-sdk/client-s3', 'backends-in-lib: objects'],
  'src/service/eager.ts': ['../../lib/objects/manta/store.ts', 'engines-by-name: manta'],
  'src/cloudapi/ldap.ts': ['ldapts', 'backends-in-lib: accounts'],
  'src/cloudapi/jose.ts': ['jose', 'tokens-in-one-place'],
  'src/images/undici.ts': ['undici', 'one-client'],
  'src/http-kit/calls.ts': ['koffi', 'system-calls-in-one-place'],
  'src/images/asks.ts': ['../../lib/client/client.ts', 'guarded-connections'],
  'src/images/opens.ts': ['../../lib/client/transport.ts', 'guarded-connections: one door', 'values'],
  'src/imgapi/framework.ts': ['restify', 'one-home-of-restify'],
  'src/http-kit/image.ts': ['../images/a.ts', 'http-kit-knows-no-image'],
  'src/cli/imgapiadm/direct.ts': ['../../images/a.ts', 'clients-speak-http: cli'],
  'src/cli/imgapiadm/data/direct.ts': ['../../../images/a.ts', 'data-beside-the-server: cli'],
  'src/imgapi/takeover.ts': ['../takeover/a.ts', 'takeover-on-top'],
  'src/cloudapi/direct.ts': ['../service/service.ts', 'clients-speak-http: cloudapi'],
  'src/images/request.ts': ['../http-kit/call.ts', 'routes-on-top'],
  'src/service/up.ts': ['../images/a.ts', 'down-only: service'],
  'src/images/up.ts': ['../copies/a.ts', 'down-only: images'],
  'src/pulls/up.ts': ['../datacenters/a.ts', 'down-only: pulls'],
  'src/datacenters/up.ts': ['../copies/a.ts', 'down-only: datacenters'],
  'src/copies/up.ts': ['../maintenance/a.ts', 'down-only: copies'],
  'src/machines/up.ts': ['../maintenance/a.ts', 'down-only: machines'],
  'src/datacenters/peers/up.ts': ['../links/a.ts', 'down-only: peers'],
  'src/datacenters/links/up.ts': ['../sources/a.ts', 'down-only: links'],
  'src/copies/orders/up.ts': ['../transfer/a.ts', 'down-only: rooms of copies'],
  'src/copies/documents/up.ts': ['../orders/a.ts', 'down-only: documents of copies'],
  'src/service/packed.ts': ['../packaging/a.ts', 'not-in-the-package'],
  'src/images/tool.ts': ['tap', 'packages-of-our-own'],
};

test('the rules on who may import whom find what they forbid, in types as well', async (t) => {
  const files: Record<string, string> = {
    'package.json': JSON.stringify({ dependencies: {}, devDependencies: { tap: '21.0.0' } }),
    'node_modules/tap/package.json': JSON.stringify({ name: 'tap', version: '21.0.0', main: 'index.js' }),
    'node_modules/tap/index.js': '',
    'lib/text/other.ts': "import type { One } from './one.ts';\nexport type Other = One;\n",
    'lib/documents/a.ts': "import '../manifest/a.ts';\n",
    'lib/manifest/a.ts': 'export type A = string;\n',
  };
  for (const [file, [imported, , only]] of Object.entries(BREACHES)) {
    files[file] = `import ${only === undefined ? 'type ' : ''}{ A } from '${imported}';\nexport type One = A;\n`;
    const there = new URL(imported, `file:///${file}`).pathname.slice(1);
    if (imported.startsWith('.') && !imported.includes('nowhere')) files[there] ??= 'export type A = string;\n';
  }
  const baseDir = await mkdtemp(join(tmpdir(), 'imgapi-rules-'));
  t.teardown(() => rm(baseDir, { recursive: true }));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(baseDir, file)), { recursive: true });
    await writeFile(join(baseDir, file), text);
  }
  const { forbidden, options } = config as IConfiguration;
  const { output } = await cruise(['src', 'lib', 'test'], {
    ...options,
    validate: true,
    ruleSet: { forbidden },
    baseDir,
  });
  const { violations } = (output as ICruiseResult).summary;
  for (const [file, [, name]] of Object.entries(BREACHES)) {
    const found = violations.filter(
      ({ from, rule }) => rule.name === name && (from === file || dirname(file) === from),
    );
    t.ok(found.length > 0, `${name} finds ${file}`);
  }
  const tried = new Set(Object.values(BREACHES).map(([, rule]) => rule));
  t.strictSame(
    (forbidden ?? []).map(({ name }) => name).filter((name) => !tried.has(name ?? '')),
    [],
    'all of them',
  );
});

test('servers are made in one place, because restify changes what node:http gives all others', async (t) => {
  const served = FILES.filter((file) => isBelow(file, 'src', 'lib')).filter((file) => {
    const text = readFileSync(file, 'utf8');
    return (
      /\bcreateServer\b|\bcreateSecureServer\b|new ((Http)?Server|Restify)\(/.test(text) && !file.endsWith('.d.ts')
    );
  });
  t.strictSame(served, ['src/http-kit/server.ts']);
  const chained = FILES.filter((file) => /writeHead\([^;]*\)\s*\.\w/.test(readFileSync(file, 'utf8')));
  t.strictSame(
    chained.filter((file) => isBelow(file, 'src', 'lib')),
    [],
    'what restify makes of writeHead answers nothing',
  );
});

test('no file is too long to be read in one go', async (t) => {
  const long = [...FILES, ...globSync('test/**/*.ts')]
    .map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > LONGEST_FILE);
  t.strictSame(long, []);
});

/** Where a condition or a loop stands on a line and its only statement, without braces, on the next. */
function withoutBraces(text: string): string[] {
  return [...text.matchAll(/^( *)(?:\} )?(?:else|(?:else )?(?:if|for|while)\b.*\))\n\1 +\S.*$/gm)].map(
    ([found]) => found,
  );
}

test('whatever takes two lines has braces', async (t) => {
  const found = [...FILES, ...globSync('test/**/*.ts')].flatMap((file) =>
    withoutBraces(readFileSync(file, 'utf8')).map((lines) => `${file}: ${lines}`),
  );
  t.strictSame(found, []);
  const [head, statement] = ['  if (isOpen)', '    close();'];
  t.equal(withoutBraces([head, statement].join('\n')).length, 1);
  t.strictSame(withoutBraces([`${head} {`, statement, '  }'].join('\n')), []);
});

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
