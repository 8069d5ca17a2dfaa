/** Triton's own IMGAPI client, as CloudAPI and the operators' tools use it, against a server of its own process. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage, sha1Of } from '../../helpers/images.ts';
import { spawnImgapi, temporaryFolder } from '../../helpers/imgapi.ts';
import { type Answer, sdcImgapi } from './client.ts';

const server = await spawnImgapi(t);
const folder = await temporaryFolder(t);
const call = sdcImgapi(t, server.url);

const refused = (method: string, ...args: unknown[]) =>
  call(method, ...args).then(
    () => t.fail(`${method} went through`),
    (error: { statusCode: number; body: { code: string } }) => ({ status: error.statusCode, code: error.body.code }),
  );

async function fileWith(bytes: Uint8Array): Promise<string> {
  const path = join(folder, randomUUID());
  await writeFile(path, bytes);
  return path;
}

t.test('it tells IMGAPI from what was before', async (t) => {
  t.match(await call('ping'), { ping: 'pong', imgapi: true, version: String, pid: Number });
  t.match(await refused('ping', 'ImageFilesImmutable'), { status: 422, code: 'ImageFilesImmutable' });
});

t.test('it makes an image, shares it, changes it and deletes it, on behalf of an account', async (t) => {
  const bytes = randomBytes(300_000);
  const path = await fileWith(bytes);
  const created = await call('createImage', { ...MANIFEST, tags: { a: 'b' } }, ALICE);
  const uuid = created['uuid'] as string;
  t.match(created, { owner: ALICE, state: 'unactivated' });
  const file = { uuid, file: path, compression: 'gzip', sha1: sha1Of(bytes) };
  t.match(await call('addImageFile', file, ALICE), { files: [{ sha1: sha1Of(bytes), size: 300_000 }] });
  t.match(await call('activateImage', uuid, ALICE), { state: 'active' });
  t.match(await call('getImage', uuid, ALICE), { uuid, state: 'active', tags: { a: 'b' } });

  const target = join(folder, 'read');
  await call('getImageFile', uuid, target, ALICE);
  t.ok((await readFile(target)).equals(bytes));

  t.match(await call('updateImage', uuid, { description: 'changed', acl: [CAROL] }, ALICE), {
    description: 'changed',
    acl: [CAROL],
  });
  t.same((await call('addImageAcl', uuid, [BOB], ALICE))['acl'], [CAROL, BOB]);
  t.match(await call('getImage', uuid, BOB), { acl: [BOB] });
  t.same((await call('removeImageAcl', uuid, [BOB], ALICE))['acl'], [CAROL]);
  t.match(await refused('getImage', uuid, BOB), { status: 404, code: 'ResourceNotFound' });

  const icon = randomBytes(1000);
  const iconFile = { uuid, file: await fileWith(icon), contentType: 'image/png', sha1: sha1Of(icon) };
  t.match(await call('addImageIcon', iconFile, ALICE), { icon: true });
  const iconTarget = join(folder, 'icon');
  await call('getImageIcon', uuid, iconTarget, ALICE);
  t.ok((await readFile(iconTarget)).equals(icon));
  t.match(await call('deleteImageIcon', uuid, ALICE), { icon: undefined });
  t.match(await refused('deleteImageIcon', uuid, ALICE), { status: 404, code: 'ResourceNotFound' });

  t.match(await call('disableImage', uuid, ALICE), { state: 'disabled' });
  t.match(await call('enableImage', uuid, ALICE), { state: 'active' });
  t.match(await refused('addImageFile', { uuid, file: path, compression: 'gzip' }, ALICE), {
    status: 422,
    code: 'ImageFilesImmutable',
  });
  await call('deleteImage', uuid, ALICE);
  t.match(await refused('getImage', uuid, ALICE), { status: 404, code: 'ResourceNotFound' });
});

t.test('it lists images, page by page', async (t) => {
  const own = server.client();
  const made = new Set<string>();
  for (let n = 0; n < 5; n++) made.add((await makeImage(own, { name: 'listed' }, { owner: BOB, size: 1 })).image.uuid);
  const list = async (filter: object) => (await call('listImages', filter)) as unknown as Answer[];
  t.same(new Set((await list({ account: BOB, name: 'listed' })).map(({ uuid }) => uuid)), made);
  t.equal((await list({ account: BOB, name: '~iste', limit: 2 })).length, 2);
  t.same(await list({ account: ALICE, name: 'listed' }), []);
  t.equal((await list({ owner: BOB, state: 'all', 'tag.none': 'x' })).length, 0);
});

t.test('it imports, from a manifest and from another server', async (t) => {
  const uuid = randomUUID();
  const published_at = '2013-01-01T00:00:00Z';
  const manifest = { ...MANIFEST, v: 2, uuid, owner: BOB, published_at };
  t.match(await call('adminImportImage', manifest), { uuid, published_at, state: 'unactivated' });
  t.match(await refused('adminImportImage', manifest), { status: 409, code: 'ImageUuidAlreadyExists' });

  const other = await spawnImgapi(t, { datacenterName: 'other' });
  const { image, bytes } = await makeImage(other.client(), { public: true }, { owner: BOB, size: 200_000 });
  const source = { skip_owner_check: true, source: other.url };
  t.match(await call('adminImportImage', { uuid: image.uuid }, source), { uuid: image.uuid, state: 'unactivated' });
  const sha1 = sha1Of(bytes);
  t.match(await call('addImageFile', { uuid: image.uuid, source: other.url }), { files: [{ sha1, size: 200_000 }] });
  t.match(await call('activateImage', image.uuid), { state: 'active', published_at: image.published_at });
});

t.test('it understands how it is refused', async (t) => {
  t.match(await refused('createImage', { name: 'x' }, ALICE), { status: 422, code: 'ValidationFailed' });
  t.match(await refused('createImage', { ...MANIFEST, owner: BOB }, ALICE), { status: 422, code: 'InvalidParameter' });
  t.match(await refused('getImage', randomUUID()), { status: 404, code: 'ResourceNotFound' });
  t.match(await refused('activateImage', randomUUID()), { status: 404, code: 'ResourceNotFound' });
  const { uuid } = await call('createImage', { ...MANIFEST }, ALICE);
  t.match(await refused('activateImage', uuid, ALICE), { status: 422, code: 'NoActivationNoFile' });
  const wrong = { uuid, file: await fileWith(randomBytes(10)), compression: 'gzip', sha1: '0'.repeat(40) };
  t.match(await refused('addImageFile', wrong, ALICE), { status: 400, code: 'Download' });
});
