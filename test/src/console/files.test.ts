/** The console over HTTP: its files, how they are guarded, and what it is told of the server. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Test, test } from 'tap';
import { ConsoleFiles, PAGE } from '#src/console/files.ts';
import { joinConsole } from '#src/packaging/join-console.ts';
import { imageOf } from '../../bench/many-images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from '../imgapi/fixtures/ask.ts';
import { putRecords } from '../imgapi/fixtures/records.ts';
import { AUTH_KEYS, signedHeaders } from '../imgapi/fixtures/signing.ts';

/** Bytes, compressed, of all that a browser loads before it shows the list of images. */
const FILES = 28 * 1024;
/** With the list, where each image has as much as images commonly have. */
const FIRST_VIEW = 100_000;

/** What a page or a module names, as paths below `/console/`. */
function namedBy(path: string, text: string): string[] {
  const found = [...text.matchAll(/(?:\bfrom\s*|^import\s*|(?<=\s)(?:src|href)=)["']([^"'#]+\.(?:js|css))["']/gm)];
  return found.map(([, name = '']) => new URL(name, `http://x/${path}`).pathname.slice(1));
}

interface Loaded {
  readonly bytes: number;
  readonly text: string;
}

/** All that is loaded without being asked for. */
async function loaded(files: ConsoleFiles, from: string): Promise<Map<string, Loaded>> {
  const all = new Map<string, Loaded>();
  const load = async (path: string): Promise<void> => {
    if (all.has(path)) return;
    const { forms } = (await files.get(path)) ?? {};
    if (!forms) throw new Error(`${path} is not there`);
    const text = forms.identity.toString();
    all.set(path, { bytes: forms.gzip.length, text });
    for (const name of namedBy(path, text)) await load(name);
  };
  await load(from);
  return all;
}

const bytesOf = (files: ReadonlyMap<string, Loaded>) => [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);

/** A place for joined modules, and what takes their place there. */
async function filesWith(t: Test, joined?: (file: string) => Promise<void>): Promise<ConsoleFiles> {
  const file = join(t.testdir(), 'app.js');
  await joined?.(file);
  return new ConsoleFiles(pathToFileURL(file));
}

for (const [form, joined] of [
  ['one file', joinConsole],
  ['a file each', undefined],
] as const) {
  test(`the page and all its modules, ${form}, come from the server itself, in few bytes`, async (t) => {
    const files = await loaded(await filesWith(t, joined), PAGE);
    t.ok(files.has('app.js') && files.has('style.css'));
    t.equal(files.has('images-view.js'), joined === undefined);
    t.equal(files.has('modules/preact.js'), joined === undefined);
    t.ok(bytesOf(files) < FILES, `the files of the first view have ${bytesOf(files)} bytes`);
    for (const [path, { text }] of files) {
      if (!path.endsWith('.js')) continue;
      const names = [...text.matchAll(/\b(?:from\s*|import\s*\(\s*)["']([^"']+)["']/g)].map(([, name = '']) => name);
      t.ok(names.length > 0 || !['app.js', 'images-view.js'].includes(path), `${path} names others`);
      t.strictSame(
        names.filter((name) => !name.startsWith('./')),
        [],
        `${path} names paths alone`,
      );
    }
    const page = files.get(PAGE)?.text ?? '';
    const preloaded = [...page.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, path]) => path);
    const imported = [...(await loaded(await filesWith(t, joined), 'app.js')).keys()];
    t.strictSame(
      preloaded.toSorted(),
      imported.filter((path) => path !== 'app.js').toSorted(),
      'the page names each module that is imported',
    );
    t.notMatch(page, /<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/, 'nothing is inline');
  });
}

test('modules that were joined before one of them changed are not used', async (t) => {
  const files = await filesWith(t, async (file) => {
    await joinConsole(file);
    await writeFile(file, (await readFile(file, 'utf8')).replace(/[0-9a-f]{64}/, '0'.repeat(64)));
  });
  t.ok((await loaded(files, PAGE)).has('images-view.js'));
});

test('a joined file of which only a part was written is not used', async (t) => {
  for (const kept of [0.99, 0.5, 0]) {
    const files = await filesWith(t, async (file) => {
      await joinConsole(file);
      const whole = await readFile(file, 'utf8');
      await writeFile(file, whole.slice(0, Math.max(100, whole.length * kept)));
    });
    t.ok((await loaded(files, PAGE)).has('images-view.js'), `${kept} of it`);
  }
});

test('the first view has few bytes with its list of images', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  await putRecords(
    imgapi.service,
    Array.from({ length: 60 }, (_, index) => imageOf(index, 20)),
  );
  const headers = { 'accept-version': '~3' };
  const list = await asker(t, url)('/images?sort=published_at.desc&limit=50', { headers });
  t.equal(list.json.length, 50);
  const total = FILES + list.bytes.length;
  t.ok(total < FIRST_VIEW, `with the list it is ${total}`);
});

test('each file is guarded, and answered with 304 when it is there already, in each coding', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const path of ['/console/', '/console/app.js', '/console/style.css', '/console/modules/uplot.js']) {
    const tags = new Set<string>();
    for (const [accepted, coding] of [
      ['br, gzip', 'br'],
      ['gzip', 'gzip'],
      ['gzip;q=0, deflate', undefined],
      ['', undefined],
    ] as const) {
      const { status, headers } = await ask(path, { headers: { 'accept-encoding': accepted } });
      t.equal(status, 200, path);
      t.equal(headers['content-encoding'], coding);
      t.match(headers['content-security-policy'], /^default-src 'self'; .*frame-ancestors 'none'/);
      t.notMatch(headers['content-security-policy'], /unsafe|https?:|\*/);
      t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache', vary: /Accept-Encoding/ });
      const etag = headers['etag'] ?? '';
      tags.add(etag);
      const again = await ask(path, { headers: { 'accept-encoding': accepted, 'if-none-match': etag } });
      t.match(again, { status: 304, text: '' });
    }
    t.equal(tags.size, 3, 'bytes that differ have tags that differ');
  }
});

test('nothing but the files of the console is served, and the page needs its slash', async (t) => {
  const { url } = await startInProcess(t, { publicUrl: 'https://images.example.com/imgapi' });
  const ask = asker(t, url);
  t.match(await ask('/console'), { status: 301, headers: { location: '/imgapi/console/' } });
  for (const path of [
    'tsconfig.json',
    'x',
    '..%2ffiles.ts',
    '..%2f..%2f..%2fpackage.json',
    'modules/x',
    'modules/..%2fapp.js',
  ]) {
    t.match(await ask(`/console/${path}`), { status: 404, json: { code: 'ResourceNotFound' } }, path);
  }
  t.match(await ask('/console/app.js', { method: 'POST' }), { status: 405 });
});

test('the console is told whether its caller is an operator, and whether it may write', async (t) => {
  const settings = async (keys: object, headers = {}) => {
    const { url } = await startInProcess(t, { ...keys });
    const answer = await asker(t, url)('/console/settings.json', { headers });
    t.equal(answer.headers['cache-control'], 'no-store');
    return answer.json;
  };
  const signature = { mode: 'public', authType: 'signature', authKeys: AUTH_KEYS };
  t.match(await settings({}), { mode: 'dc', datacenter: 'test-1', operator: true, write: false });
  t.match(await settings({ console: { write: true } }), { operator: true, write: true });
  const channels = [{ name: 'release', description: 'ready' }];
  const url = 'https://images.example.com';
  const stranger = await settings({ ...signature, channels, publicUrl: url, console: { write: true } });
  t.match(stranger, { mode: 'public', operator: false, write: false, channels, url });
  t.notOk('user' in stranger);
  t.match(await settings(signature, signedHeaders()), { operator: true, write: false, user: 'sue' });
});
