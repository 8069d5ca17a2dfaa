/** Images that accounts bring as files. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, signedHeaders } from '../../helpers/cloudapi.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const people = makePeople();
const { alice, bob, carol, admin } = people;
const server = await startInProcess(t);
const operator = server.client();
const common = { people: Object.values(people), imgapi: server.url };
const cloudapi = await cloudapiInProcess(t, { ...common, keys: { uploads: true } });
const ask = asker(t, cloudapi.url);

const BYTES = Buffer.from('the bytes of a file');
const CREATE = '/my/images?action=create-from-file';
const PARTIAL = { 'content-type': 'application/partial-upload' };

async function created(fields: object = {}): Promise<string> {
  const { status, json } = await ask(CREATE, { as: alice, method: 'POST', json: { ...MANIFEST, ...fields } });
  if (status !== 201) throw new Error(JSON.stringify(json));
  return json.id;
}

function begin(id: string, bytes = BYTES, as = alice) {
  const path = `/my/images/${id}/uploads?compression=none&sha1=${sha1Of(bytes)}`;
  return ask(path, { as, method: 'POST', headers: { 'upload-length': String(bytes.length) } });
}

const append = (path: string, offset: number, part: string, as = alice) =>
  ask(path, { as, method: 'PATCH', body: part, headers: { ...PARTIAL, 'upload-offset': String(offset) } });

t.test('an account makes an image, brings its file in two parts, and activates it', async (t) => {
  const made = await ask(CREATE, {
    as: alice,
    method: 'POST',
    json: { ...MANIFEST, v: 2, owner: ALICE, tags: { a: 1 } },
  });
  t.match(made, { status: 201, json: { owner: ALICE, public: false, state: 'unactivated', tags: { a: 1 } } });
  const id = made.json.id as string;
  t.equal(made.headers['location'], `/alice/images/${id}`);

  const begun = await begin(id);
  t.match(begun, { status: 201, headers: { 'upload-offset': '0', 'upload-length': '19' } });
  const upload = begun.headers['location'] ?? '';
  t.equal(upload, `/alice/images/${id}/uploads/${begun.json.uuid}`);
  t.match(await append(upload, 0, 'the bytes '), { status: 204, headers: { 'upload-offset': '10' } });
  t.match(await ask(upload, { as: alice, method: 'HEAD' }), { status: 200, headers: { 'upload-offset': '10' } });
  t.match(await append(upload, 0, 'the bytes '), {
    ...{ status: 409, headers: { 'upload-offset': '10' } },
    json: { code: 'UploadOffsetMismatch' },
  });
  for (const [type, shown] of [
    ['application/octet-stream', 'is "application/octet-stream"'],
    [undefined, 'is missing'],
  ] as const) {
    const headers = { 'upload-offset': '10', ...(type !== undefined && { 'content-type': type }) };
    t.match(await ask(upload, { as: alice, method: 'PATCH', body: 'of a file', headers }), {
      ...{ status: 415, headers: { 'accept-patch': 'application/partial-upload' } },
      json: { code: 'UnsupportedMediaType', message: `Content-Type ${shown}; ` },
    });
  }
  t.match(await begin(id), { status: 200, json: { uuid: begun.json.uuid, offset: 10 } });
  t.match(await append(upload, 10, 'of a file'), {
    ...{ status: 200, headers: { 'upload-complete': '?1' } },
    json: { id, state: 'unactivated', files: [{ sha1: sha1Of(BYTES), size: BYTES.length }] },
  });
  const active = await ask(`/my/images/${id}`, { as: alice, method: 'POST', json: { action: 'activate' } });
  t.match(active, { status: 200, json: { id, state: 'active', public: false } });
  t.match(await begin(id), { status: 422, json: { code: 'ImageFilesImmutable' } });
  const { stream } = await operator.getImageFile(id);
  t.same(Buffer.concat(await stream.toArray()), BYTES);
});

t.test('what is not for an account to say is refused by its name', async (t) => {
  const REFUSED: readonly object[] = [
    ...[
      { owner: BOB },
      { public: true },
      { public: [false] },
      { v: 1 },
      { v: [2] },
      { uuid: ALICE },
      { state: 'active' },
      { activated: true },
    ],
    ...[{ files: [] }, { billing_tags: ['x'] }, { traits: {} }, { disabled: true }, { published_at: 'now' }],
    ...[{ channels: ['dev'] }, { desciption: 'misspelt' }, { error: {} }, { urn: 'a:b:c:d' }],
  ];
  const before = (await operator.listImages({ state: 'all' })).length;
  for (const fields of REFUSED) {
    const { status, json } = await ask(CREATE, { as: alice, method: 'POST', json: { ...MANIFEST, ...fields } });
    t.match({ status, json }, { status: 409, json: { code: 'InvalidArgument' } }, JSON.stringify(fields));
    t.match(json.message, Object.keys(fields)[0]);
  }
  t.match(await ask(`${CREATE}&uuid=${ALICE}`, { as: alice, method: 'POST', json: MANIFEST }), { status: 409 });
  const { image: bobs } = await makeImage(server.client({ account: BOB }));
  t.match(await ask(CREATE, { as: alice, method: 'POST', json: { ...MANIFEST, origin: bobs.uuid } }), {
    ...{ status: 422, json: { code: 'OriginDoesNotExist' } },
  });
  t.equal((await operator.listImages({ state: 'all' })).length, before + 1, 'only the one of bob');
});

t.test("what is another's is not there", async (t) => {
  const id = await created();
  const { json: begun } = await begin(id);
  const upload = `/my/images/${id}/uploads/${begun.uuid}`;
  for (const as of [bob, carol, admin]) {
    const answers = await Promise.all([
      begin(id, BYTES, as),
      ask(upload, { as }),
      append(upload, 0, 'x', as),
      ask(upload, { as, method: 'DELETE' }),
      ask(`/my/images/${id}?action=activate`, { as, method: 'POST' }),
      ask(`/my/images/${id}`, { as, method: 'DELETE' }),
    ]);
    for (const { status, json } of answers) {
      t.match({ status, json }, { status: 404, json: { code: 'ResourceNotFound', message: 'image not found' } });
    }
  }
  const { json: bobs } = await ask(CREATE, { as: bob, method: 'POST', json: MANIFEST });
  const elsewhere = `/my/images/${bobs.id}/uploads/${begun.uuid}`;
  t.match(await ask(elsewhere, { as: bob }), { status: 404 }, "another image's upload");
  t.match(await append(elsewhere, 0, 'x', bob), { status: 404 });
  t.match(await ask(`/alice/images/${id}/uploads/${begun.uuid}`, { as: bob }), { status: 403 });
  t.match(await ask(`/my/images/${id}/uploads/nonsense`, { as: alice }), { status: 404 });
  t.match(await ask(upload, { as: alice }), { status: 200, json: { offset: 0 } });

  t.match(await ask(upload, { as: alice, method: 'DELETE' }), { status: 204 });
  t.match(await ask(upload, { as: alice }), { status: 404 });
  t.match(await ask(`/my/images/${id}`, { as: alice, method: 'DELETE' }), { status: 204 }, 'her own, not active');
  t.match(await ask(`/my/images/${id}`, { as: alice }), { status: 404 });
});

t.test('quotas hold', async (t) => {
  const id = await created();
  await operator.setQuota(ALICE, { bytes: 25 });
  t.teardown(() => operator.unsetQuota(ALICE));
  t.match(await begin(id), { status: 403, json: { code: 'QuotaExceeded' } });
  await operator.setQuota(ALICE, { images: 1 });
  t.match(await ask(CREATE, { as: alice, method: 'POST', json: MANIFEST }), {
    ...{ status: 403, json: { code: 'QuotaExceeded' } },
  });
});

t.test('bytes pass as they arrive, and a refusal in their middle is answered', async (t) => {
  const half = 2 * 1024 ** 2;
  const arrived = Promise.withResolvers<void>();
  const imgapi = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < half) return;
      arrived.resolve();
      const body = JSON.stringify({ code: 'Upload', message: 'no more of it' });
      response.writeHead(400, { 'content-type': 'application/json', connection: 'close' });
      response.end(body);
    });
  });
  imgapi.listen(0, '127.0.0.1');
  await once(imgapi, 'listening');
  t.teardown(() => {
    imgapi.closeAllConnections();
    imgapi.close();
  });
  const { port } = imgapi.address() as { port: number };
  const keys = { uploads: true };
  const { url } = await cloudapiInProcess(t, { ...common, imgapi: `http://127.0.0.1:${port}`, keys });
  const path = `/my/images/${BOB}/uploads/${BOB}`;
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => socket.destroy());
  const headers = { ...PARTIAL, ...signedHeaders('PATCH', path, { as: alice }), 'upload-offset': '0' };
  const lines = Object.entries({ ...headers, host: new URL(url).host, 'content-length': String(2 * half) });
  socket.write(`PATCH ${path} HTTP/1.1\r\n${lines.map((pair) => pair.join(': ')).join('\r\n')}\r\n\r\n`);
  socket.write(Buffer.alloc(half));
  await arrived.promise;
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('no more of it')) break;
  }
  t.match(text, /^HTTP\/1\.1 400 /);
});

t.test('without the setting there are no such routes', async (t) => {
  const { url } = await cloudapiInProcess(t, common);
  const without = asker(t, url);
  const id = await created();
  const { json: begun } = await begin(id);
  const post = { as: alice, method: 'POST' } as const;
  const unknown = await without('/my/images?action=paint', { ...post, json: MANIFEST });
  const create = await without(CREATE, { ...post, json: MANIFEST });
  t.equal(create.status, unknown.status);
  t.equal(create.json.message, unknown.json.message.replace('paint', 'create-from-file'));
  t.equal(create.json.code, unknown.json.code);
  const activate = await without(`/my/images/${id}?action=activate`, post);
  t.match(activate, {
    status: 409,
    json: { code: 'InvalidArgument', message: 'action activate is not a valid argument' },
  });
  const uploads = `/my/images/${id}/uploads`;
  t.match(await without(uploads, post), { status: 404, json: { message: `${uploads} does not exist` } });
  const upload = `${uploads}/${begun.uuid}`;
  for (const method of ['GET', 'PATCH', 'DELETE']) {
    t.match(await without(upload, { as: alice, method }), {
      status: 404,
      json: { message: `${upload} does not exist` },
    });
  }
});
