/** The console over HTTP: its files, how they are guarded, and what it is told of the server. */
import { gunzipSync } from 'node:zlib';
import { test } from 'tap';
import { imageOf } from '../../bench/many-images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Asker, asker } from '../imgapi/fixtures/ask.ts';
import { putRecords } from '../imgapi/fixtures/records.ts';
import { AUTH_KEYS, signedHeaders } from '../imgapi/fixtures/signing.ts';

/** Bytes, compressed, of all that a browser loads before it shows the list of images. */
const FILES = 24 * 1024;
/** With the list, where each image has as much as images commonly have. */
const FIRST_VIEW = 100_000;

/** What a page or a module names, as paths below `/console/`. */
function namedBy(path: string, text: string): string[] {
  const found = [...text.matchAll(/(?:\bfrom\s*|^import\s*|(?:src|href)=)["']([^"'#]+\.(?:js|css))["']/gm)];
  return found.map(([, name = '']) => new URL(name, `http://x/${path}`).pathname.slice(1));
}

/** All that is loaded without being asked for. */
async function loaded(ask: Asker, from = ''): Promise<Map<string, { bytes: number; text: string }>> {
  const all = new Map<string, { bytes: number; text: string }>();
  const load = async (path: string): Promise<void> => {
    if (all.has(path)) return;
    all.set(path, { bytes: 0, text: '' });
    const { status, bytes } = await ask(`/console/${path}`, { headers: { 'accept-encoding': 'gzip' } });
    if (status !== 200) throw new Error(`${path} answers ${status}`);
    const text = gunzipSync(bytes).toString();
    all.set(path, { bytes: bytes.length, text });
    for (const name of namedBy(path, text)) await load(name);
  };
  await load(from);
  return all;
}

test('the page and all that it imports come from the server itself, in few bytes', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  await putRecords(
    imgapi.service,
    Array.from({ length: 60 }, (_, index) => imageOf(index, 20)),
  );
  const ask = asker(t, url);
  const files = await loaded(ask);
  t.ok(files.has('app.js') && files.has('style.css') && files.has('modules/preact.js') && files.has('images-view.js'));
  const total = [...files.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  t.ok(total < FILES, `the files of the first view have ${total} bytes`);
  const headers = { 'accept-version': '~3' };
  const list = await ask('/images?sort=published_at.desc&limit=50', { headers });
  t.equal(list.json.length, 50);
  t.ok(total + list.bytes.length < FIRST_VIEW, `with the list it is ${total + list.bytes.length}`);
  for (const [path, { text }] of files) {
    if (!path.endsWith('.js')) continue;
    const names = [...text.matchAll(/\b(?:from\s*|import\s*\(\s*)["']([^"']+)["']/g)].map(([, name = '']) => name);
    t.strictSame(
      names.filter((name) => !name.startsWith('./')),
      [],
      `${path} names paths alone`,
    );
  }
  const page = files.get('')?.text ?? '';
  const preloaded = [...page.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, path]) => path);
  const imported = [...(await loaded(ask, 'app.js')).keys()].filter((path) => path !== 'app.js');
  t.strictSame(preloaded.toSorted(), imported.toSorted(), 'the page names each module that is imported');
  t.notMatch(page, /<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=/, 'nothing is inline');
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
