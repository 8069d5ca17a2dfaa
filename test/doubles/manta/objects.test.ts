/** Holds the double to what Manta does with objects, their conditions and their ranges. */
import { test } from 'tap';
import { asking, md5Of } from './asking.ts';

test('a PUT is answered with an unquoted etag and the md5 of what came', async (t) => {
  const { put, ask } = await asking(t);
  const { status, headers, text } = await put('/bob/stor/x', 'abc', { 'm-color': 'red', 'durability-level': '3' });
  t.match({ status, text, headers }, { status: 204, text: '', headers: { 'computed-md5': md5Of('abc') } });
  t.match(headers['etag'], /^[0-9a-f-]{36}$/);
  t.match((await ask('GET', '/bob/stor/x')).headers, {
    etag: headers['etag'],
    'content-length': '3',
    'content-md5': md5Of('abc'),
    'content-type': 'application/octet-stream',
    'durability-level': '3',
    'accept-ranges': 'bytes',
    'm-color': 'red',
  });
  t.equal((await ask('HEAD', '/bob/stor/x')).headers['accept-ranges'], undefined);
});

test('nothing is sent for an object without bytes, and it has no copies', async (t) => {
  const { put, ask } = await asking(t);
  t.match(await put('/bob/stor/x'), { status: 204, headers: { 'computed-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' } });
  t.match(await ask('GET', '/bob/stor/x', { headers: { range: 'bytes=0-1' } }), {
    status: 200,
    headers: { 'durability-level': '0' },
  });
});

test('bytes that are not those of Content-MD5 replace nothing', async (t) => {
  const { put, ask } = await asking(t);
  await put('/bob/stor/x', 'old');
  t.match(await put('/bob/stor/x', 'new', { 'content-md5': md5Of('other') }), {
    status: 400,
    code: 'ContentMD5Mismatch',
  });
  t.match(await put('/bob/stor/x', 'new', { 'content-md5': 'AAAA' }), { status: 400, code: 'BadRequest' });
  t.equal((await ask('GET', '/bob/stor/x')).text, 'old');
});

test('a stream ends at the length that it announced at the most', async (t) => {
  const { double, sending } = await asking(t);
  const stream = (most: string, body: string) =>
    sending('/bob/stor/x', { 'transfer-encoding': 'chunked', 'max-content-length': most }, body);
  t.match(await stream('3', 'abcd'), { status: 413, continued: true });
  t.match(await stream('-1', 'abc'), { status: 400, continued: false });
  t.equal(double.tree.find(['bob', 'stor', 'x']), undefined);
  t.match(await stream('3', 'abc'), { status: 204 });
});

test('a parent has to be there, and has to be a directory', async (t) => {
  const { put, mkdir } = await asking(t);
  t.match(await put('/bob/stor/a/x', 'x'), { status: 404, code: 'DirectoryDoesNotExist', message: /\/bob\/stor\/a / });
  await put('/bob/stor/x', 'x');
  t.match(await put('/bob/stor/x/y', 'x'), { status: 400, code: 'ParentNotDirectory' });
  await mkdir('/bob/stor/d');
  t.match(await put('/bob/stor/d', 'x'), { status: 400, code: 'InvalidUpdate' });
});

test('the invitation to send comes after the checks, and never for what has no bytes', async (t) => {
  const { sending } = await asking(t);
  t.match(await sending('/bob/stor/x', { 'content-length': '3' }, 'abc'), { status: 204, continued: true });
  t.match(await sending('/bob/stor/none/x', { 'content-length': '3' }, 'abc'), { status: 404, continued: false });
  t.match(await sending('/bob/stor/x', { 'content-length': '3', 'if-match': '""' }, 'abc'), {
    status: 412,
    continued: false,
  });
  t.match(await sending('/bob/stor/y', { 'content-length': '0' }, ''), { status: 204, continued: false });
});

test('metadata beyond 4 KiB are silently dropped', async (t) => {
  const { put, ask } = await asking(t);
  await put('/bob/stor/x', 'x', { 'm-a': 'a'.repeat(4000), 'm-b': 'b'.repeat(96) });
  const { headers } = await ask('HEAD', '/bob/stor/x');
  t.match(headers, { 'm-a': String, 'm-b': undefined });
});

test('one range is served, without md5 and type; more are not', async (t) => {
  const { put, ask } = await asking(t);
  await put('/bob/stor/x', '0123456789', { 'content-type': 'text/plain' });
  const ranged = (range: string, method = 'GET') => ask(method, '/bob/stor/x', { headers: { range } });
  t.match(await ranged('bytes=2-4'), {
    status: 206,
    text: '234',
    headers: {
      'content-range': 'bytes 2-4/10',
      'content-length': '3',
      'content-type': 'application/octet-stream',
      'content-md5': undefined,
      etag: String,
    },
  });
  t.match(await ranged('bytes=7-'), { status: 206, text: '789' });
  t.match(await ranged('bytes=-2'), { status: 206, text: '89' });
  t.match(await ranged('bytes=10-'), {
    status: 416,
    code: 'RangeNotSatisfiable',
    message: '',
    headers: { 'content-range': 'bytes */10' },
  });
  t.match(await ranged('bytes=0-1,3-4'), { status: 501, code: 'NotImplemented' });
  t.match(await ranged('bytes=2-4', 'HEAD'), { status: 200, headers: { 'content-length': '10' } });
});

test('a type that the client does not accept is refused', async (t) => {
  const { put, ask } = await asking(t);
  await put('/bob/stor/x', 'x', { 'content-type': 'text/plain' });
  t.match(await ask('GET', '/bob/stor/x', { headers: { accept: 'image/*' } }), { status: 406, code: 'NotAcceptable' });
  for (const accept of ['*/*', 'text/*', 'application/json, */*']) {
    t.equal((await ask('GET', '/bob/stor/x', { headers: { accept } })).status, 200, accept);
  }
});

test('etags are compared unquoted, and quoted ones never match', async (t) => {
  const { put, ask } = await asking(t);
  const { headers } = await put('/bob/stor/x', 'x');
  const etag = headers['etag'] ?? '';
  const got = async (name: string, value: string) =>
    (await ask('GET', '/bob/stor/x', { headers: { [name]: value } })).status;
  t.equal(await got('if-match', etag), 200);
  t.equal(await got('if-match', `"${etag}"`), 412);
  t.equal(await got('if-none-match', etag), 304);
  t.equal(await got('if-none-match', `"${etag}"`), 200);
  t.equal(await got('if-modified-since', new Date(Date.now() + 5000).toUTCString()), 304);
  t.equal(await got('if-unmodified-since', new Date(0).toUTCString()), 412);
  t.match(await ask('DELETE', '/bob/stor/x', { headers: { 'if-match': 'other' } }), {
    status: 412,
    code: 'PreconditionFailed',
  });
  t.match(await put('/bob/stor/x', 'y', { 'if-none-match': etag }), { status: 412 });
  t.match(await ask('DELETE', '/bob/stor/x', { headers: { 'if-match': etag } }), { status: 204, headers: { etag } });
});

test('a star matches also what is not there', async (t) => {
  const { put } = await asking(t);
  t.match(await put('/bob/stor/x', 'x', { 'if-none-match': '*' }), { status: 412 });
  t.match(await put('/bob/stor/x', 'x', { 'if-match': '*' }), { status: 204 });
});

test('two quotes create only, and of racers one wins', async (t) => {
  const { put } = await asking(t);
  const racers = await Promise.all(Array.from({ length: 6 }, () => put('/bob/stor/x', 'x', { 'if-match': '""' })));
  t.equal(racers.filter(({ status }) => status === 204).length, 1);
  t.ok(
    racers.every(({ status, code }) => status === 204 || code === 'ConcurrentRequest' || code === 'PreconditionFailed'),
  );
  t.match(await put('/bob/stor/x', 'x', { 'if-match': '""' }), { status: 412, code: 'PreconditionFailed' });
});

test('directories ignore conditions', async (t) => {
  const { mkdir, ask } = await asking(t);
  await mkdir('/bob/stor/d');
  const headers = { 'content-type': 'application/json; type=directory', 'if-match': 'wrong' };
  t.match(await ask('PUT', '/bob/stor/d', { headers }), { status: 204 });
});

test('an upload that brings nothing for too long is ended', async (t) => {
  const { sending, double } = await asking(t, { settings: { dataTimeout: 50 } });
  t.match(await sending('/bob/stor/x', { 'content-length': '3' }), { status: 408, continued: true });
  t.equal(double.tree.find(['bob', 'stor', 'x']), undefined);
});
