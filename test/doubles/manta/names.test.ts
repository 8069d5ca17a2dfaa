/** Holds the double to what Manta does with names, directories, links and lists. */
import type { EventEmitter } from 'node:events';
import type { Info } from 'manta';
import { test } from 'tap';
import { asking, called, lines } from './asking.ts';

test('an account and its top directories are there, and cannot be removed or overwritten', async (t) => {
  const { ask, put, mkdir } = await asking(t);
  for (const path of ['/bob', '/bob/stor', '/bob/public']) t.match(await ask('GET', path), { status: 200 }, path);
  t.match(await ask('DELETE', '/bob/stor'), { status: 400, code: 'OperationNotAllowedOnRootDirectory' });
  t.match(await put('/bob/stor', 'x'), { status: 400, code: 'OperationNotAllowedOnRootDirectory' });
  t.match(await mkdir('/bob/stor'), { status: 204 });
  t.match(await put('/bob/elsewhere/x', 'x'), { status: 404, code: 'ResourceNotFound' });
});

test('uploads are listed only where there are some', async (t) => {
  for (const multipart of [true, false]) {
    const { ask } = await asking(t, { multipart });
    const { text } = await ask('GET', '/bob');
    const names = lines(text).map(({ name }) => name);
    t.strictSame(names, ['public', 'reports', 'stor', ...(multipart ? ['uploads'] : [])]);
    t.match(lines(text)[0], { mtime: '2013-05-22T17:39:43.714Z' });
    t.equal((await ask('HEAD', '/bob/uploads')).status, multipart ? 200 : 404);
  }
});

test('parts of a path are decoded, and repeated slashes do not count', async (t) => {
  const { put, ask, mkdir } = await asking(t);
  await mkdir('/bob/stor/a');
  await put('/bob//stor/a/b%20%2F%C3%A4/', 'x');
  t.match(lines((await ask('GET', '/bob/stor/a')).text), [{ name: 'b /ä' }]);
  t.match(await ask('GET', '/bob/stor/%zz'), { status: 400, code: 'InvalidResource' });
});

test('the media type alone tells what a PUT makes', async (t) => {
  const { ask, put } = await asking(t);
  const made = async (type: string): Promise<string | undefined> => {
    await put('/bob/stor/x', '', { 'content-type': type });
    const { headers } = await ask('HEAD', '/bob/stor/x');
    await ask('DELETE', '/bob/stor/x');
    return headers['content-type']?.includes('type=directory') ? 'directory' : 'object';
  };
  for (const type of ['application/json; type=directory', 'Application/JSON;TYPE=Directory']) {
    t.equal(await made(type), 'directory', type);
  }
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json; type=file', 'text/x']) {
    t.equal(await made(type), 'object', type);
  }
});

test('every answer tells its version, and others than 1.0 are refused', async (t) => {
  for (const [version, server] of [
    ['v1', 'Manta'],
    ['v2', 'Manta/2'],
  ] as const) {
    const { ask } = await asking(t, { version });
    const { headers } = await ask('GET', '/bob/stor', { headers: { 'accept-version': '~1.0' } });
    t.match(headers, { server, date: String, 'x-request-id': String, 'x-server-name': String });
    const wrong = await ask('GET', '/bob/stor', { headers: { 'accept-version': '~2.0' } });
    t.match(wrong, { status: 400, code: 'InvalidVersion' });
  }
});

test('POST on an object is refused', async (t) => {
  const { ask } = await asking(t);
  t.match(await ask('POST', '/bob/stor/x'), { status: 405, code: 'MethodNotAllowed', headers: { allow: String } });
});

test('making a directory again is no error, and it needs a parent', async (t) => {
  const { mkdir, put, ask } = await asking(t);
  t.match(await mkdir('/bob/stor/a/b'), { status: 404, code: 'DirectoryDoesNotExist', message: /stor\/a does not/ });
  for (const _ of [1, 2]) t.match(await mkdir('/bob/stor/a'), { status: 204, headers: { etag: undefined } });
  await put('/bob/stor/a/x', 'x');
  t.match(await mkdir('/bob/stor/a/x/y'), { status: 400, code: 'ParentNotDirectory' });
  t.match(await mkdir('/bob/stor/a/x'), { status: 204 });
  const { headers } = await ask('HEAD', '/bob/stor/a/x');
  t.match(headers, { 'content-type': /type=directory/, 'result-set-size': '0', etag: undefined }, 'the object is gone');
});

test('a directory is removed only when nothing is in it', async (t) => {
  const { mkdir, put, ask } = await asking(t);
  await mkdir('/bob/stor/a');
  await put('/bob/stor/a/x', 'x');
  t.match(await ask('DELETE', '/bob/stor/a'), { status: 400, code: 'DirectoryNotEmpty' });
  await ask('DELETE', '/bob/stor/a/x');
  t.match(await ask('DELETE', '/bob/stor/a'), { status: 204 });
  t.match(await ask('DELETE', '/bob/stor/a'), { status: 404, code: 'ResourceNotFound' });
});

test('a directory takes so many entries and no more', async (t) => {
  const { put } = await asking(t, { directoryLimit: 2 });
  for (const name of ['a', 'b', 'a']) t.equal((await put(`/bob/stor/${name}`, 'x')).status, 204, name);
  t.match(await put('/bob/stor/c', 'x'), { status: 409, code: 'DirectoryLimitExceeded' });
});

test('version 1 gives an object a second name, which is as good as the first', async (t) => {
  const { put, link, ask, mkdir } = await asking(t, { version: 'v1' });
  const { headers } = await put('/bob/stor/x', 'one');
  t.match(await link('/bob/stor/x', '/bob/stor/y'), { status: 204, headers: { etag: headers['etag'] } });
  await put('/bob/stor/x', 'two');
  t.match(await ask('GET', '/bob/stor/y'), { text: 'one', headers: { etag: headers['etag'] } });
  const json = { 'content-type': 'application/json; type=link' };
  t.match(await ask('PUT', '/bob/stor/z', { headers: json }), { status: 400, code: 'LocationRequired' });
  t.match(await link('/bob/stor/none', '/bob/stor/z'), { status: 404, code: 'SourceObjectNotFound' });
  await mkdir('/bob/stor/d');
  t.match(await link('/bob/stor/d', '/bob/stor/z'), { status: 400, code: 'LinkNotObject' });
});

test('version 2 has no links, whatever is asked', async (t) => {
  const { put, link } = await asking(t);
  await put('/bob/stor/x', 'one');
  t.match(await link('/bob/stor/x', '/bob/stor/y'), { status: 403, code: 'SnaplinksDisabledError' });
});

test('a list is a line for each name, 256 unless more are asked for', async (t) => {
  const { put, mkdir, ask } = await asking(t);
  await mkdir('/bob/stor/d');
  for (let at = 0; at < 300; at += 1) await put(`/bob/stor/d/${String(at).padStart(3, '0')}`, 'x');
  const { headers, text } = await ask('GET', '/bob/stor/d');
  t.match(headers, { 'content-type': 'application/x-json-stream; type=directory', 'result-set-size': '300' });
  t.equal(lines(text).length, 256);
  const object = {
    name: '000',
    type: 'object',
    size: 1,
    etag: String,
    contentMD5: String,
    durability: 2,
    mtime: String,
  };
  t.match(lines(text)[0], object);
  const next = lines((await ask('GET', '/bob/stor/d?marker=255&limit=1024')).text);
  t.match([next[0], next.at(-1), next.length], [{ name: '255' }, { name: '299' }, 45], 'with the marker itself');
  const last = lines((await ask('GET', '/bob/stor/d?sort_order=reverse&limit=2')).text);
  t.match(last, [{ name: '299' }, { name: '298' }]);
});

test('the limits of a list are checked, and operators’ parameters refused', async (t) => {
  const { ask } = await asking(t);
  for (const limit of ['0', '-1', '1025']) {
    t.match(await ask('GET', `/bob/stor?limit=${limit}`), { status: 400, code: 'InvalidArgumentError' }, limit);
  }
  for (const limit of ['x', '', '1024']) t.equal((await ask('GET', `/bob/stor?limit=${limit}`)).status, 200, limit);
  for (const query of ['sort=none', 'skip_owner_check=true']) {
    t.match(await ask('GET', `/bob/stor?${query}`), { status: 403, code: 'QueryParameterForbidden' }, query);
  }
});

test('the real client makes, finds, lists, links and removes names', async (t) => {
  const { client, put } = await asking(t, { version: 'v1' });
  await called((done) => client.mkdir('/bob/stor/d ä', done));
  await put('/bob/stor/d%20%C3%A4/x', 'xyz');
  await called((done) => client.ln('/bob/stor/d ä/x', '/bob/stor/d ä/y', done));
  t.match(await called<Info>((done) => client.info('/bob/stor/d ä/y', done)), { headers: { 'content-length': '3' } });
  const entries = await called<EventEmitter>((done) => client.ls('/bob/stor/d ä', {}, done));
  const names: string[] = [];
  entries.on('entry', ({ name }) => names.push(name));
  await new Promise((resolve) => entries.once('end', resolve));
  t.strictSame(names, ['x', 'y']);
  await called((done) => client.unlink('/bob/stor/d ä/x', done));
  await t.rejects(
    called((done) => client.unlink('/bob/stor/d ä/x', done)),
    { code: 'ResourceNotFound' },
  );
  await t.rejects(
    called((done) => client.info('/bob/stor/d ä/x', done)),
    { statusCode: 404, name: 'NotFoundError' },
  );
});
