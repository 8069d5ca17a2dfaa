/** /ping, /state, /datasets, and what browsers ask for. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { ERRORS, type ErrorCode } from '#lib/api/errors/registry.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from './fixtures/ask.ts';
import { AUTH_KEYS, signedHeaders } from './fixtures/signing.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
const PONG = { ping: 'pong', version, imgapi: true };
const { pid } = process;

test('ping tells who is there; the process only to insiders, and whoever signed its own name', async (t) => {
  for (const mode of ['dc', 'public', 'private']) {
    for (const authType of ['none', 'signature']) {
      const { url } = await startInProcess(t, { mode, authType, authKeys: AUTH_KEYS });
      const ask = asker(t, url);
      const what = `${mode}, ${authType}`;
      t.strictSame((await ask('/ping')).json, mode === 'dc' ? { ...PONG, pid } : PONG, what);
      const isKnown = authType === 'signature';
      const expected = { ...PONG, ...(isKnown || mode === 'dc' ? { pid } : {}), ...(isKnown ? { user: 'sue' } : {}) };
      t.strictSame((await ask('/ping', { headers: signedHeaders() })).json, expected, `${what}, signed`);
    }
  }
});

test('ping answers a sample of every error there is, with or without "Error" at the end of its name', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const { status, when } = ERRORS[code];
    for (const name of new Set([code, code.replace(/Error$/, '')])) {
      const answer = await ask(`/ping?error=${name}`);
      t.equal(answer.status, status, name);
      t.strictSame(answer.json, { code, message: when });
    }
  }
  for (const name of ['', 'x', 'Error', 'internalerror', '__proto__', 'toString', 'Internal&error=Upload']) {
    const answer = await ask(`/ping?error=${name}`);
    t.equal(answer.status, 422, name);
    t.match(answer.json, { code: 'InvalidParameter', errors: [{ field: 'error', code: 'Missing' }] });
  }
});

test('the state tells how the service is set up, and dropcaches is an action that is taken', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  t.match((await ask('/state')).json, {
    database: 'local',
    mode: 'dc',
    storage: ['local'],
    storageTypes: ['local'],
    cache: {},
    db: {},
    memory: {},
    uptime: Number,
  });
  const dropped = await ask('/state?action=dropcaches', { method: 'POST' });
  t.equal(dropped.status, 202);
  t.equal(dropped.headers['content-length'], '0');
  for (const [query, code] of [
    ['', 'MissingParameter'],
    ['?action=', 'MissingParameter'],
    ['?action=x', 'InvalidArgument'],
    ['?action=dropcaches&action=x', 'InvalidArgument'],
  ] as const) {
    const answer = await ask(`/state${query}`, { method: 'POST' });
    t.match(answer, { status: 409, json: { code } });
  }
});

test('what DSAPI clients ask for is sent on to images', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const uuid = randomUUID();
  const table: readonly (readonly [path: string, location: string])[] = [
    ['/datasets', '/images'],
    [`/datasets/${uuid}`, `/images/${uuid}`],
    ['/datasets/base', '/images?name=base'],
    ['/datasets/base:1.8.1', '/images?name=base&version=1.8.1'],
    ['/datasets/sdc:sdc:base', '/images?name=base'],
    ['/datasets/sdc:sdc:base:1.8.1', '/images?name=base&version=1.8.1'],
    ['/datasets/a:b:c:d:e', '/images?name=a%3Ab%3Ac%3Ad%3Ae'],
    [`/datasets/${uuid.toUpperCase()}`, `/images?name=${uuid.toUpperCase()}`],
    ['/datasets/a%20b', '/images?name=a+b'],
    ['/datasets/a%26account%3Dx', '/images?name=a%26account%3Dx'],
    ['/datasets/%0d%0aX-Header:1', '/images?name=%0D%0AX-Header&version=1'],
  ];
  for (const [path, location] of table) {
    const answer = await ask(path);
    t.equal(answer.status, 301, path);
    t.equal(answer.headers['location'], location, path);
    t.equal(answer.text, '');
  }
});

test('browsers get an answer for what they ask unasked', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const icon = await ask('/favicon.ico');
  t.match(icon, { status: 200, headers: { 'content-type': 'image/x-icon' } });
  t.strictSame([...icon.bytes.subarray(0, 6)], [0, 0, 1, 0, 1, 0], 'an .ico file with one picture');
  t.match(icon.headers['cache-control'], 'max-age=86400');
  const root = await ask('/');
  t.equal(root.status, 301);
  t.equal(root.headers['location'], '/docs/');
  t.match(await ask('/docs'), { status: 301, headers: { location: '/docs/' } });
  const docs = await ask('/docs/');
  t.match(docs, { status: 200, headers: { 'content-type': 'text/markdown; charset=utf-8' } });
  t.match(docs.text, /ListImages/);
  const page = await ask('/docs/', { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
  t.match(page, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8', vary: /Accept,/ } });
  t.match(page.text, /^<!DOCTYPE html>.*<a href="#errors">.*<h2 id="sharing">.*<\/html>\n$/s);
  t.notMatch(page.text, 'operator-guide.md', 'what is not served is not linked');
  const openApi = await ask('/openapi.json');
  t.equal(openApi.status, 200);
  t.equal(openApi.headers['content-type'], 'application/json');
  t.match(openApi.json, { openapi: '3.1.0', paths: { '/images/{uuid}': { get: { operationId: 'GetImage' } } } });
});
