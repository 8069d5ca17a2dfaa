/** Holds the double to Manta's multipart uploads. */
import { test } from 'tap';
import { type Asking, asking, md5Of } from './asking.ts';

const MIB = 1024 * 1024;
const PART = Buffer.alloc(5 * MIB, 'x');

interface Begun {
  readonly id: string;
  readonly directory: string;
}

async function begin({ ask }: Asking, body: object = { objectPath: '/bob/stor/x' }): Promise<Begun> {
  const { text } = await ask('POST', '/bob/uploads', { body: JSON.stringify(body) });
  const { id, partsDirectory } = JSON.parse(text) as { id: string; partsDirectory: string };
  return { id, directory: partsDirectory };
}

function commit({ ask }: Asking, { directory }: Begun, parts: readonly (string | undefined)[]) {
  return ask('POST', `${directory}/commit`, { body: JSON.stringify({ parts }) });
}

test('parts are put together in the order of the commit, which can be repeated', async (t) => {
  const manta = await asking(t);
  const begun = await begin(manta);
  const [first, last] = [await manta.put(`${begun.directory}/0`, PART), await manta.put(`${begun.directory}/1`, 'end')];
  t.match(last, { status: 204, headers: { 'computed-md5': md5Of('end'), etag: String } });
  const etags = [first.headers['etag'], last.headers['etag']];
  const whole = Buffer.concat([PART, Buffer.from('end')]);
  const wanted = { status: 201, headers: { location: '/bob/stor/x', 'computed-md5': md5Of(whole) } };
  t.match(await commit(manta, begun, etags), { ...wanted, headers: { ...wanted.headers, etag: undefined } });
  t.match(await commit(manta, begun, etags), { ...wanted, headers: { ...wanted.headers, etag: String } });
  t.match(await commit(manta, begun, etags.slice(1)), { status: 409, code: 'InvalidMultipartUploadState' });
  t.equal((await manta.ask('HEAD', '/bob/stor/x')).headers['content-length'], String(whole.length));
  t.strictSame(manta.double.uploads.open, []);
});

test('what is wrong with an upload or its parts is refused', async (t) => {
  const manta = await asking(t);
  const invalid = { status: 409, code: 'MultipartUploadInvalidArgument' };
  const create = (body: object) => manta.ask('POST', '/bob/uploads', { body: JSON.stringify(body) });
  t.match(await create({}), invalid);
  t.match(await create({ objectPath: '/bob/stor/x', headers: { 'if-match': '""' } }), invalid);
  const begun = await begin(manta, { objectPath: '/bob/stor/x', headers: { 'content-length': 6 } });
  const [a, b] = [await manta.put(`${begun.directory}/0`, 'abc'), await manta.put(`${begun.directory}/1`, 'def')];
  t.match(await manta.put(`${begun.directory}/800`, 'x'), invalid);
  t.match(await manta.put(`${begun.directory}/1`, 'x', { 'durability-level': '3' }), invalid);
  const etags = [a.headers['etag'], b.headers['etag']];
  t.match(await commit(manta, begun, etags), { ...invalid, message: /too small/ });
  t.match(await commit(manta, begun, ['other']), { ...invalid, message: /does not have etag/ });
  t.match(await commit(manta, begun, etags.slice(0, 1)), { ...invalid, message: /3 bytes, not 6/ });
});

test('parts cannot be read, only looked at', async (t) => {
  const manta = await asking(t);
  const begun = await begin(manta);
  await manta.put(`${begun.directory}/0`, 'abc');
  for (const method of ['GET', 'DELETE']) {
    t.match(await manta.ask(method, `${begun.directory}/0`), { status: 405, code: 'MethodNotAllowed' }, method);
  }
  t.match(await manta.ask('HEAD', `${begun.directory}/0`), { status: 200, headers: { 'content-length': '3' } });
  t.match((await manta.ask('GET', begun.directory)).text, /"name":"0"/);
});

test('of an abort and a commit the first one stands', async (t) => {
  const manta = await asking(t);
  const aborted = await begin(manta);
  const { headers } = await manta.put(`${aborted.directory}/0`, 'abc');
  for (const _ of [1, 2]) t.match(await manta.ask('POST', `${aborted.directory}/abort`), { status: 204 });
  const wrong = { status: 409, code: 'InvalidMultipartUploadState' };
  t.match(await commit(manta, aborted, [headers['etag']]), wrong);
  t.match(await manta.put(`${aborted.directory}/0`, 'abc'), wrong);
  const committed = await begin(manta);
  const part = await manta.put(`${committed.directory}/0`, 'abc');
  await commit(manta, committed, [part.headers['etag']]);
  t.match(await manta.ask('POST', `${committed.directory}/abort`), wrong);
});

test('the target is looked at when the upload is committed', async (t) => {
  const manta = await asking(t);
  const begun = await begin(manta, { objectPath: '/bob/stor/a/x' });
  const { headers } = await manta.put(`${begun.directory}/0`, 'abc');
  const parts = [headers['etag']];
  t.match(await commit(manta, begun, parts), { status: 404, code: 'DirectoryDoesNotExist' });
  await manta.mkdir('/bob/stor/a');
  t.match(await commit(manta, begun, parts), { status: 201 });
});

test('the state of an upload can be asked for, and its place by its id', async (t) => {
  const manta = await asking(t);
  const begun = await begin(manta, { objectPath: '/bob/stor/x', headers: { 'durability-level': 3 } });
  const state = async () => JSON.parse((await manta.ask('GET', `${begun.directory}/state`)).text) as unknown;
  const known = { id: begun.id, partsDirectory: begun.directory, targetObject: '/bob/stor/x', numCopies: 3 };
  t.match(await state(), { ...known, state: 'created', creationTimeMs: Number });
  const found = await manta.ask('GET', `/bob/uploads/${begun.id}`);
  t.match(found, { status: 301, headers: { location: begun.directory } });
  await manta.ask('POST', `${begun.directory}/abort`);
  t.match(await state(), { ...known, state: 'done', result: 'aborted' });
});

test('others cannot use an upload, and where there are none nobody can', async (t) => {
  const manta = await asking(t);
  const begun = await begin(manta);
  t.match(await manta.ask('GET', `${begun.directory}/state`, { as: 'eve' }), { status: 403 });
  const without = await asking(t, { multipart: false });
  const body = JSON.stringify({ objectPath: '/bob/stor/x' });
  t.match(await without.ask('POST', '/bob/uploads', { body }), { status: 405 });
});
