import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { MANIFEST, makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { waitFor } from '../../../helpers/wait.ts';
import { bytesOf, objectsOf, refusal, send, staged } from '../fixture.ts';

const LIMIT = 128 * 1024;

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });

const newImage = async () => (await alice.createImage({ ...MANIFEST })).uuid;
const put = (uuid: string, body: Uint8Array, headers: Record<string, string> = {}, query = '') =>
  send(server.url, {
    method: 'PUT',
    path: `/images/${uuid}/icon${query}`,
    body,
    headers: { 'content-type': 'image/png', ...headers },
  });
const contents = async (uuid: string) => bytesOf((await operator.getImageIcon(uuid)).stream);

for (const type of ['image/png', 'image/jpeg', 'image/gif']) {
  t.test(`an icon may be ${type}`, async (t) => {
    const uuid = await newImage();
    const icon = randomBytes(1000);
    t.equal((await alice.addImageIcon(uuid, icon, type)).icon, true);
    const read = await send(server.url, { path: `/images/${uuid}/icon` });
    t.ok(read.bytes.equals(icon));
    t.match(read.headers, {
      'content-type': type,
      'content-length': '1000',
      'content-md5': createHash('md5').update(icon).digest('base64'),
      etag: sha1Of(icon),
    });
    t.ok(Date.parse(read.headers['last-modified'] ?? '') > 0);
  });
}

for (const type of ['image/PNG', 'image/png; charset=utf-8', 'IMAGE/PNG ;a="b;c"']) {
  t.test(`"${type}" is image/png`, async (t) => {
    const uuid = await newImage();
    t.equal((await put(uuid, randomBytes(10), { 'content-type': type })).status, 200);
    t.match((await send(server.url, { path: `/images/${uuid}/icon` })).headers, { 'content-type': 'image/png' });
  });
}

for (const type of ['image/svg+xml', 'image/pngx', 'image/png, image/gif', 'text/html', '']) {
  t.test(`an icon may not be "${type}"`, async (t) => {
    const uuid = await newImage();
    const answer = await put(uuid, randomBytes(10), { 'content-type': type });
    t.match(answer, { status: 400, json: { code: 'Upload', message: /Content-Type/ } });
    t.equal((await operator.getImage(uuid)).icon, undefined);
  });
}

t.test('an icon has at most 128 KiB', async (t) => {
  const uuid = await newImage();
  const exact = randomBytes(LIMIT);
  t.equal((await put(uuid, exact)).status, 200);
  const over = Buffer.concat([exact, Buffer.from('!')]);
  t.match(await put(uuid, over, { expect: '100-continue' }), { status: 400, invited: false, json: { code: 'Upload' } });
  const unannounced = await send(server.url, {
    method: 'PUT',
    path: `/images/${uuid}/icon`,
    headers: { 'content-type': 'image/gif' },
    chunks: [over],
  });
  t.match(unannounced, { status: 400, json: { code: 'Upload' } });
  t.ok((await contents(uuid)).equals(exact));
});

t.test('an icon may be empty', async (t) => {
  const uuid = await newImage();
  t.match(await put(uuid, Buffer.alloc(0)), { status: 200, json: { icon: true } });
  t.equal((await contents(uuid)).length, 0);
});

t.test('an icon with another hash than announced is refused', async (t) => {
  const uuid = await newImage();
  const icon = randomBytes(100);
  t.match(await put(uuid, icon, {}, `?sha1=${'0'.repeat(40)}`), { status: 400, json: { code: 'Upload' } });
  const md5 = createHash('md5').update('x').digest('base64');
  t.match(await put(uuid, icon, { 'content-md5': md5 }), { status: 400, json: { code: 'Upload' } });
  t.match(await put(uuid, icon, {}, '?sha1=x'), { status: 422, json: { errors: [{ field: 'sha1' }] } });
  t.equal((await put(uuid, icon, {}, `?sha1=${sha1Of(icon)}`)).status, 200);
});

t.test('an icon is replaced in every state, and POST does the same as PUT', async (t) => {
  const { image } = await makeImage(operator, {}, { owner: ALICE, size: 10 });
  await alice.addImageIcon(image.uuid, randomBytes(100), 'image/gif');
  await operator.disableImage(image.uuid);
  const second = randomBytes(200);
  const answer = await send(server.url, {
    method: 'POST',
    path: `/images/${image.uuid}/icon?account=${ALICE}`,
    body: second,
    headers: { 'content-type': 'image/jpeg' },
  });
  t.match(answer, { status: 200, json: { icon: true, state: 'disabled' } });
  t.ok((await contents(image.uuid)).equals(second));
  t.same(await objectsOf(server.dataDir, image.uuid), ['file0', 'icon']);
});

t.test('an icon does not change the image’s file, and goes with the image', async (t) => {
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE });
  await operator.addImageIcon(image.uuid, randomBytes(10), 'image/png');
  t.ok((await bytesOf((await operator.getImageFile(image.uuid)).stream)).equals(bytes));
  await operator.deleteImage(image.uuid);
  t.same(await objectsOf(server.dataDir, image.uuid), []);
});

t.test('an icon is removed once; an absent one is not found', async (t) => {
  const uuid = await newImage();
  await alice.addImageIcon(uuid, randomBytes(10), 'image/png');
  t.match(await alice.deleteImageIcon(uuid), { uuid, icon: undefined });
  t.same(await objectsOf(server.dataDir, uuid), []);
  t.match(await refusal(alice.deleteImageIcon(uuid)), {
    status: 404,
    code: 'ResourceNotFound',
    message: /has no icon/,
  });
  t.match(await refusal(alice.getImageIcon(uuid)), { status: 404, code: 'ResourceNotFound', message: /has no icon/ });
});

t.test('icons are for those who may change the image', async (t) => {
  const { image } = await makeImage(operator, { public: true }, { owner: ALICE, size: 10 });
  const bob = server.client({ account: BOB });
  t.match(await refusal(bob.addImageIcon(image.uuid, randomBytes(10), 'image/png')), { code: 'NotImageOwner' });
  await alice.addImageIcon(image.uuid, randomBytes(10), 'image/png');
  t.match(await refusal(bob.deleteImageIcon(image.uuid)), { code: 'NotImageOwner' });
  t.equal((await bytesOf((await bob.getImageIcon(image.uuid)).stream)).length, 10);
  const hidden = await newImage();
  await alice.addImageIcon(hidden, randomBytes(10), 'image/png');
  t.match(await refusal(bob.getImageIcon(hidden)), { status: 404 });
});

t.test('an icon and a file may be sent at the same time', async (t) => {
  const uuid = await newImage();
  const file = randomBytes(50_000);
  const icon = randomBytes(50_000);
  const answers = await Promise.all([
    put(uuid, icon),
    send(server.url, { method: 'PUT', path: `/images/${uuid}/file?compression=none`, body: file }),
  ]);
  for (const { status } of answers) t.ok(status === 200 || status === 409, `${status}`);
  const image = await operator.getImage(uuid);
  if (image.icon) t.ok((await contents(uuid)).equals(icon));
  if (image.files[0]) t.equal(image.files[0].sha1, sha1Of(file));
  await waitFor('staging to be empty', async () => (await staged(server.dataDir)).length === 0);
});
