import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import t from 'tap';
import { addFile } from '#src/images/files/add-file.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { bytesOf, objectsOf, overSocket, recordOf, refusal, send, staged } from '../fixture.ts';
import { slowUpload } from './slow-upload.ts';

const LIMIT = 200_000;

const server = await startInProcess(t, { limits: { fileBytes: LIMIT }, uploads: { idleSeconds: 1 } });
const operator = server.client();
const alice = server.client({ account: ALICE });

const newImage = async () => (await alice.createImage({ ...MANIFEST })).uuid;
const filePath = (uuid: string, query = 'compression=gzip') => `/images/${uuid}/file?${query}`;
const put = (
  uuid: string,
  body: Uint8Array | undefined,
  more: { query?: string; headers?: Record<string, string> } = {},
) => send(server.url, { method: 'PUT', path: filePath(uuid, more.query), body, headers: more.headers ?? {} });
const contents = async (uuid: string) => bytesOf((await operator.getImageFile(uuid)).stream);
const allGone = (uuid: string) =>
  waitFor('staging to be empty', async () => (await staged(server.dataDir)).every((name) => !name.includes(uuid)));

t.test('a file is stored, and read as it was sent', async (t) => {
  const uuid = await newImage();
  const bytes = randomBytes(150_000);
  const md5 = createHash('md5').update(bytes).digest('base64');
  const { status, json } = await put(uuid, bytes, {
    query: `compression=xz&sha1=${sha1Of(bytes)}&dataset_guid=1234`,
    headers: { 'content-md5': md5, 'accept-version': '~2' },
  });
  t.equal(status, 200);
  t.same(json?.['files'], [{ sha1: sha1Of(bytes), size: 150_000, compression: 'xz', dataset_guid: '1234' }]);
  t.equal(json?.['state'], 'unactivated');
  const read = await send(server.url, { path: `/images/${uuid}/file` });
  t.ok(read.bytes.equals(bytes));
  t.match(read.headers, {
    etag: sha1Of(bytes),
    'content-md5': md5,
    'content-length': '150000',
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
  });
  t.ok(Math.abs(Date.parse(read.headers['last-modified'] ?? '') - Date.now()) < 60_000);
  t.equal((await recordOf(server, uuid))?.files?.[0]?.sha256, createHash('sha256').update(bytes).digest('hex'));
});

t.test('the name of the store is shown to whoever asks for admin fields', async (t) => {
  const { image } = await makeImage(operator, {}, { owner: ALICE, size: 10 });
  t.equal(image.files[0]?.stor, undefined);
  t.equal((await operator.getImage(image.uuid, { inclAdminFields: true })).files[0]?.stor, 'local');
});

t.test('the size of a file', async (t) => {
  const exact = randomBytes(LIMIT);
  const over = Buffer.concat([exact, Buffer.from('!')]);

  await t.test('may be the limit', async (t) => {
    const uuid = await newImage();
    t.equal((await put(uuid, exact)).status, 200);
    t.ok((await contents(uuid)).equals(exact));
  });

  await t.test('may not be one byte more', async (t) => {
    const uuid = await newImage();
    t.match(await put(uuid, over), { status: 400, json: { code: 'Upload', message: /200001.*200000/ } });
    t.same(await objectsOf(server.dataDir, uuid), []);
  });

  await t.test('is refused by its announcement: nobody is invited to send it', async (t) => {
    const answer = await put(await newImage(), over, { headers: { expect: '100-continue' } });
    t.match(answer, { status: 400, invited: false, json: { code: 'Upload' } });
  });

  await t.test('that was not announced is refused as soon as it is passed', async (t) => {
    const uuid = await newImage();
    const answer = await send(server.url, { method: 'PUT', path: filePath(uuid), chunks: [exact, '!', exact] });
    t.match(answer, { status: 400, json: { code: 'Upload' } });
    t.same((await operator.getImage(uuid)).files, []);
  });

  await t.test('is not nothing', async (t) => {
    const uuid = await newImage();
    t.match(await put(uuid, Buffer.alloc(0)), { status: 400, json: { code: 'Download', message: /empty/ } });
    t.match(await send(server.url, { method: 'PUT', path: filePath(uuid), chunks: [] }), { status: 400 });
    t.same((await operator.getImage(uuid)).files, []);
  });
});

t.test('a client that waits for 100 Continue is told to go on', async (t) => {
  const bytes = randomBytes(1000);
  const answer = await put(await newImage(), bytes, { headers: { expect: '100-continue' } });
  t.match(answer, { status: 200, invited: true });
});

t.test('bytes that are not what was announced are refused, and the file that was there stays', async (t) => {
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  const other = randomBytes(5000);
  const wrong = sha1Of(bytes);
  t.match(await put(image.uuid, other, { query: `compression=none&sha1=${wrong}` }), {
    status: 400,
    json: { code: 'Download', message: new RegExp(`${wrong}.*${sha1Of(other)}`) },
  });
  const md5 = createHash('md5').update('x').digest('base64');
  t.match(await put(image.uuid, other, { headers: { 'content-md5': md5 } }), {
    status: 400,
    json: { code: 'Download', message: /Content-MD5/ },
  });
  t.ok((await contents(image.uuid)).equals(bytes));
  await allGone(image.uuid);
});

t.test('the SHA-1 may be written in upper case', async (t) => {
  const image = await operator.createImage({ ...MANIFEST, owner: ALICE });
  const bytes = randomBytes(100);
  const sha1 = sha1Of(bytes);
  const { status, json } = await put(image.uuid, bytes, { query: `compression=none&sha1=${sha1.toUpperCase()}` });
  t.equal(status, 200);
  t.match(json, { files: [{ sha1 }] });
  t.match(await put(image.uuid, randomBytes(100), { query: `compression=none&sha1=${sha1.toUpperCase()}` }), {
    status: 400,
    json: { code: 'Download' },
  });
});

t.test('a connection that is cut leaves nothing behind', async (t) => {
  const uuid = await newImage();
  const upload = slowUpload(server.url + filePath(uuid), { 'content-length': '100000' });
  await upload.write(randomBytes(50_000));
  await waitFor('the upload to begin', async () => (await staged(server.dataDir)).some((name) => name.includes(uuid)));
  upload.cut();
  await allGone(uuid);
  t.same((await operator.getImage(uuid)).files, []);
  t.equal((await put(uuid, randomBytes(100))).status, 200);
});

t.test('bytes beyond the announced length are no part of the file', async (t) => {
  const uuid = await newImage();
  const head = `PUT ${filePath(uuid)} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n`;
  const text = await overSocket(server.url, `${head}0123456789garbage`);
  t.match(text, /^HTTP\/1\.1 200 OK\r\n/, 'the request is answered');
  t.match(text, /HTTP\/1\.1 400 Bad Request\r\n/, 'and so is what follows, which is none');
  t.match(JSON.parse(text.split('\r\n\r\n').at(-1) ?? ''), { code: 'BadRequest', message: /cannot be read/ });
  await allGone(uuid);
  const [file] = (await operator.getImage(uuid)).files;
  t.equal(file?.sha1, sha1Of(Buffer.from('0123456789')));
});

t.test('an upload that stands still is ended', async (t) => {
  const uuid = await newImage();
  const upload = slowUpload(server.url + filePath(uuid), { 'content-length': '100000' });
  await upload.write(randomBytes(1000));
  t.match(await upload.answer(), { status: 400, code: 'Download', body: { message: /no bytes .* arrived for 1 s/ } });
  await allGone(uuid);
});

t.test('an upload that is slow but moves is not ended', async (t) => {
  // Long enough that a machine with other work does not look like a client that sends nothing.
  const patient = await startInProcess(t, { uploads: { idleSeconds: 4 } });
  const { uuid } = await patient.client({ account: ALICE }).createImage({ ...MANIFEST });
  const upload = slowUpload(patient.url + filePath(uuid));
  const start = performance.now();
  while (performance.now() - start < 5000) {
    await upload.write(randomBytes(10));
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  t.equal((await upload.end()).status, 200);
});

t.test('before activation a file is replaced, and the old bytes are gone', async (t) => {
  const { image } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  const second = randomBytes(70_000);
  const answer = await put(image.uuid, second, { query: 'compression=bzip2', headers: { 'accept-version': '~2' } });
  t.same(answer.json?.['files'], [{ sha1: sha1Of(second), size: 70_000, compression: 'bzip2' }]);
  t.ok((await contents(image.uuid)).equals(second));
  t.same(await objectsOf(server.dataDir, image.uuid), ['file0']);
});

t.test('after activation a file is fixed: the upload is refused before its body is asked for', async (t) => {
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE });
  for (const state of ['active', 'disabled']) {
    if (state === 'disabled') await operator.disableImage(image.uuid);
    const answer = await put(image.uuid, randomBytes(1000), { query: '', headers: { expect: '100-continue' } });
    t.match(answer, { status: 422, invited: false, json: { code: 'ImageFilesImmutable' } }, state);
  }
  t.match(await put(image.uuid, randomBytes(150_000)), { status: 422, json: { code: 'ImageFilesImmutable' } });
  t.ok((await contents(image.uuid)).equals(bytes));
});

t.test('an image that is activated while its second file is on the way keeps the first one', async (t) => {
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  const upload = slowUpload(server.url + filePath(image.uuid));
  await upload.write(randomBytes(1000));
  await operator.activateImage(image.uuid);
  t.match(await upload.end(), { status: 422, code: 'ImageAlreadyActivated' });
  t.ok((await contents(image.uuid)).equals(bytes));
  t.same(await objectsOf(server.dataDir, image.uuid), ['file0']);
  await allGone(image.uuid);
});

t.test('an image that is deleted while its file is on the way stays deleted', async (t) => {
  const uuid = await newImage();
  const upload = slowUpload(server.url + filePath(uuid));
  await upload.write(randomBytes(1000));
  await operator.deleteImage(uuid);
  t.match(await upload.end(), { status: 404, code: 'ResourceNotFound' });
  t.same(await objectsOf(server.dataDir, uuid), []);
  t.equal(await recordOf(server, uuid), undefined);
  await allGone(uuid);
});

t.test('an image is not given away while a file of its owner is just being placed', async (t) => {
  const { service } = server.imgapi;
  const given: unknown[] = [];
  const faults = {
    async reach(point: string) {
      if (point === 'upload:intent-recorded' || point === 'upload:placed') {
        given.push((await refusal(alice.updateImage(uuid, { owner: BOB }))).code);
      }
    },
  };
  const uuid = await newImage();
  const bytes = randomBytes(100);
  const request = { uuid, viewer: { account: ALICE } };
  const file = { compression: 'none', storage: service.storages.named('local'), announced: {} } as const;
  const { signal } = new AbortController();
  await addFile({ ...service, faults }, request, file, () => Readable.from([bytes]), signal);
  t.same(given, ['ImageFileBusy', 'ImageFileBusy']);
  t.ok((await contents(uuid)).equals(bytes));
  t.match(await alice.updateImage(uuid, { owner: BOB }), { owner: BOB, files: [{ sha1: sha1Of(bytes) }] });
});

t.test('of many uploads at once to one image, record and bytes are always of the same one', async (t) => {
  const uuid = await newImage();
  const files = Array.from({ length: 8 }, () => randomBytes(60_000));
  const answers = await Promise.all(files.map((bytes) => put(uuid, bytes)));
  const statuses = new Set(answers.map(({ status }) => status));
  t.ok(statuses.has(200), 'one wins at least');
  for (const { status, json } of answers) {
    t.ok(status === 200 || (status === 409 && json?.code === 'ImageFileBusy'), `${status} ${json?.code}`);
  }
  const [file] = (await operator.getImage(uuid)).files;
  t.equal(sha1Of(await contents(uuid)), file?.sha1);
  t.equal((await recordOf(server, uuid))?.intent, undefined);
  await allGone(uuid);
});

t.test('the checks of an upload come in their order', async (t) => {
  const uuid = await newImage();
  const body = randomBytes(10);
  const over = { 'content-length': String(LIMIT + 1), expect: '100-continue' };
  const rows: readonly [query: string, headers: Record<string, string>, expected: object][] = [
    ['storage=tape&sha1=x', over, { code: 'InvalidParameter', errors: [{ field: 'compression', code: 'Missing' }] }],
    ['compression=zip&storage=tape', over, { errors: [{ field: 'compression', code: 'Invalid' }] }],
    ['compression=gzip&compression=xz', over, { errors: [{ field: 'compression', code: 'Invalid' }] }],
    ['compression=gzip&storage=tape&sha1=x', over, { errors: [{ field: 'storage', code: 'Invalid' }] }],
    [
      `compression=gzip&storage=local&sha1=x&account=${ALICE}`,
      over,
      { errors: [{ field: 'storage', code: 'NotAllowed' }] },
    ],
    ['compression=gzip&storage=local&sha1=x', over, { errors: [{ field: 'sha1', code: 'Invalid' }] }],
    [`compression=gzip&sha1=${'G'.repeat(40)}`, over, { errors: [{ field: 'sha1', code: 'Invalid' }] }],
    ['compression=gzip&storage=local', over, { code: 'Upload' }],
  ];
  for (const [query, headers, expected] of rows) {
    const answer = await put(uuid, body, { query, headers });
    t.ok(answer.status === 422 || answer.status === 400, query);
    t.match(answer.json, expected, query);
    t.notOk(answer.invited, query);
  }
  t.equal((await put(uuid, body, { query: 'compression=none&storage=local' })).status, 200);
});

t.test('whoever may not change the image learns that before anything else', async (t) => {
  const { image } = await makeImage(operator, { public: true }, { owner: ALICE });
  const uuid = await newImage();
  const absent = '00000000-1111-4222-8333-444444444444';
  t.match(await put(uuid, randomBytes(10), { query: `account=${BOB}` }), { status: 404 });
  t.match(await put(absent, randomBytes(10), { query: `account=${BOB}` }), { status: 404 });
  t.match(await put(image.uuid, randomBytes(10), { query: `account=${BOB}` }), {
    status: 422,
    json: { code: 'NotImageOwner' },
  });
});

t.test('the file is read by its index', async (t) => {
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE, size: 100 });
  const read = (index: string) => send(server.url, { path: `/images/${image.uuid}/file?index=${index}` });
  for (const index of ['0', '', 'x', '00']) t.ok((await read(index)).bytes.equals(bytes), `index "${index}"`);
  for (const index of ['1', '7', '1000', '-1', '99999999999999999999']) {
    const answer = await read(index);
    t.match(answer, { status: 404, json: { code: 'ResourceNotFound', message: /has no file at index/ } }, index);
  }
  const empty = await send(server.url, { path: `/images/${await newImage()}/file` });
  t.match(empty, { status: 404, json: { message: /has no file$/ } });
});

t.test('a quota', async (t) => {
  const small = await startInProcess(t, { storage: { quotaBytes: 300_000 } });
  const client = small.client();
  const create = async () => (await client.createImage({ ...MANIFEST, owner: ALICE })).uuid;
  const { image } = await makeImage(client, {}, { owner: ALICE, size: 200_000 });

  await t.test('refuses a file that does not fit before its bytes flow', async (t) => {
    const answer = await send(small.url, {
      method: 'PUT',
      path: filePath(await create()),
      body: randomBytes(150_000),
      headers: { expect: '100-continue' },
    });
    t.match(answer, { status: 507, invited: false, json: { code: 'InsufficientStorage' } });
  });

  await t.test('refuses a file of unknown size as soon as it does not fit', async (t) => {
    const uuid = await create();
    const chunks = Array.from({ length: 20 }, () => randomBytes(10_000));
    const answer = await send(small.url, { method: 'PUT', path: filePath(uuid), chunks });
    t.match(answer, { status: 507, json: { code: 'InsufficientStorage' } });
    t.same(await staged(small.dataDir), []);
  });

  await t.test('has room again for what was deleted', async (t) => {
    await client.deleteImage(image.uuid);
    const { image: next } = await makeImage(client, {}, { owner: ALICE, size: 250_000 });
    t.equal(next.state, 'active');
  });
});

t.test('two images take files at the same time', async (t) => {
  const made = await Promise.all([1, 2, 3, 4].map(() => makeImage(operator, {}, { owner: ALICE, size: LIMIT })));
  for (const { image, bytes } of made) t.ok((await contents(image.uuid)).equals(bytes));
});

t.test('the client may send a file of a length that it does not know', async (t) => {
  const uuid = await newImage();
  const image = await alice.addImageFile(uuid, Readable.from([Buffer.from('abc'), Buffer.from('def')]), {
    compression: 'none',
  });
  t.equal(image.files[0]?.sha1, sha1Of(Buffer.from('abcdef')));
});

t.test('after all of this nothing is staged', async (t) => {
  t.same(await waitFor('staging to be empty', async () => (await staged(server.dataDir)).length === 0), true);
});
