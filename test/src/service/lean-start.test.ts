/** What a server of SQLite and local files never loads, since each of these took a part of every start. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { spawnImgapi, temporaryFolder } from '../../helpers/imgapi.ts';

/** Packages of what was not configured, or is not asked for yet; by what would load them. */
const LATER: Readonly<Record<string, string>> = {
  '@aws-sdk/client-s3': 'lib/objects/s3',
  jose: 'lib/tokens, with the first token',
  ldapts: 'lib/accounts/ufds',
  manta: 'lib/objects/manta',
  moray: 'lib/documents/moray',
  pg: 'lib/documents/postgres',
  'prom-client': 'src/process-metrics.ts',
  undici: 'lib/client, with the first request to another server',
};

/** Node's own parts that come with others: its fetch, by an import statement of node:http; and what strips types, if it is not told of the cache. */
const NEVER = ['NativeModule internal/deps/undici/undici', 'NativeModule internal/deps/amaro/dist/index'];

/** Those that lead to {@link findOwnModules}, with a few that another process of this test's may begin with. */
const MOST_SEARCHES = 20;

/** Writes down, at the end, which packages and which parts of Node were loaded, and how many of our own files Node looked for. */
const LISTS = (file: string) =>
  `data:text/javascript,${encodeURIComponent(`import { registerHooks } from 'node:module';
import { writeFileSync } from 'node:fs';
const urls = new Set();
let searches = 0;
registerHooks({
  resolve(specifier, context, next) {
    if (/\\.ts$/.test(specifier)) searches++;
    return next(specifier, context);
  },
  load(url, context, next) { urls.add(url); return next(url, context); },
});
process.on('exit', () => writeFileSync(${JSON.stringify(file)}, JSON.stringify([[...urls], process.moduleLoadList, searches])));`)}`;

test('a server of SQLite and local files loads no package that it has no use for', async (t) => {
  const file = join(await temporaryFolder(t), 'loaded.json');
  // The first one fills the cache of compiled modules.
  for (let start = 0; start < 2; start++) {
    const server = await spawnImgapi(t, {}, { preload: [LISTS(file)], unchecked: true });
    t.match(await server.client().ping(), { ping: 'pong' });
    t.equal(await server.stop(), 0);
  }
  const [urls, parts, searches] = JSON.parse(await readFile(file, 'utf8')) as [string[], string[], number];
  const packages = new Set(urls.map((url) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]));
  t.ok(packages.has('restify') && packages.has('better-sqlite3'), 'it finds what was loaded');
  for (const [name, by] of Object.entries(LATER)) t.notOk(packages.has(name), `${name} comes with ${by}`);
  for (const part of NEVER) t.notOk(parts.includes(part), part);
  t.ok(urls.filter((url) => url.endsWith('.ts')).length > 400 && searches <= MOST_SEARCHES, `${searches} searches`);
});
