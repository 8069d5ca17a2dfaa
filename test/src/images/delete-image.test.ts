import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { finishDeletes } from '#src/images/record/tombstones.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { unactivatedRecord } from '../../helpers/records.ts';
import { bytesOf, objectsOf, putRecord, recordOf, refusal, staged } from './fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });
const bob = server.client({ account: BOB });

const make = async (fields: object = {}) => (await makeImage(operator, fields, { owner: ALICE, size: 10 })).image.uuid;

t.test('a deleted image is gone with its file and its icon; its manifest is archived', async (t) => {
  const { image } = await makeImage(operator, { tags: { last: 'words' } }, { owner: ALICE });
  const { uuid } = image;
  await operator.addImageIcon(uuid, randomBytes(10), 'image/png');
  t.same(await objectsOf(server.dataDir, uuid), ['file0', 'icon']);
  await alice.deleteImage(uuid);
  t.match(await refusal(operator.getImage(uuid)), { status: 404, code: 'ResourceNotFound' });
  t.match(await refusal(operator.getImageFile(uuid)), { status: 404 });
  t.match(await refusal(operator.deleteImage(uuid)), { status: 404 });
  t.notOk((await operator.listImages({ state: 'all' })).some((it) => it.uuid === uuid));
  t.same(await objectsOf(server.dataDir, uuid), []);
  t.equal(await recordOf(server, uuid), undefined);
  const archived = await readFile(join(server.dataDir, 'storage', 'archive', uuid.slice(0, 3), `${uuid}.json`), 'utf8');
  t.match(JSON.parse(archived), { uuid, tags: { last: 'words' }, icon: true, files: [{ sha1: image.files[0]?.sha1 }] });
  t.same(await staged(server.dataDir), []);
});

t.test('a record that is no valid image can be deleted by operators, and keeps nothing else for ever', async (t) => {
  const origin = await make();
  for (const fields of [
    { type: 'zvol', origin, activated: true, state: 'active', published_at: '2026-01-02T03:04:05.006Z' },
    { name: 'no!', origin },
    { files: 'none', origin },
    { requirements: 7, users: 'none' },
  ]) {
    const uuid = randomUUID();
    await putRecord(server, unactivatedRecord(uuid, ALICE, fields as object));
    for (const client of [operator, alice]) t.match(await refusal(client.getImage(uuid)), { status: 404 });
    t.match(await refusal(alice.deleteImage(uuid)), { status: 404 });
    t.match(await refusal(bob.deleteImage(uuid)), { status: 404 });
    if ('origin' in fields) t.match(await refusal(operator.deleteImage(origin)), { message: new RegExp(uuid) });
    await operator.deleteImage(uuid);
    t.equal(await recordOf(server, uuid), undefined);
    t.match(await refusal(operator.deleteImage(uuid)), { status: 404 });
  }
  await alice.deleteImage(origin);
});

t.test('an image is deleted in every state, by its owner and by operators', async (t) => {
  const unactivated = (await alice.createImage({ ...MANIFEST })).uuid;
  const disabled = await make();
  await operator.disableImage(disabled);
  const failed = randomUUID();
  await putRecord(server, unactivatedRecord(failed, ALICE, { state: 'failed', type: 'null', os: 'null' }));
  const creating = randomUUID();
  await putRecord(server, unactivatedRecord(creating, ALICE, { state: 'creating', type: 'null', os: 'null' }));
  for (const uuid of [unactivated, disabled, failed]) await alice.deleteImage(uuid);
  await operator.deleteImage(creating);
  for (const uuid of [unactivated, disabled, failed, creating]) t.equal(await recordOf(server, uuid), undefined);
});

t.test('nobody else deletes an image', async (t) => {
  const hidden = await make();
  const shared = await make({ acl: ['bob'] });
  t.match(await refusal(bob.deleteImage(hidden)), { status: 404, code: 'ResourceNotFound' });
  t.match(await refusal(bob.deleteImage(shared)), { status: 422, code: 'NotImageOwner' });
});

for (const [count, listed] of [
  [1, 1],
  [9, 9],
  [10, 5],
  [12, 5],
] as const) {
  t.test(`of ${count} images that build on it the error names ${listed}`, async (t) => {
    const origin = await make();
    const children: string[] = [];
    for (let n = 0; n < count; n++) children.push((await alice.createImage({ ...MANIFEST, origin })).uuid);
    const { status, code, message } = await refusal(alice.deleteImage(origin));
    t.match({ status, code }, { status: 422, code: 'ImageHasDependentImages' });
    t.equal(children.filter((uuid) => message.includes(uuid)).length, listed);
    t.equal(/\((\d+) in all\)/.exec(message)?.[1], listed < count ? String(count) : undefined);
    for (const uuid of children) await alice.deleteImage(uuid);
    await alice.deleteImage(origin);
  });
}

/** What the owner of a dependent image is to the image, and whether that keeps its owner from deleting it. */
const DEPENDENTS: readonly [what: string, origin: object, owner: string, keeps: boolean][] = [
  ["the owner's own", {}, ALICE, true],
  ["a stranger's", {}, BOB, false],
  ["a stranger's, when others may use it", { acl: [CAROL] }, BOB, false],
  ["a stranger's, under an image for everybody", { public: true }, BOB, true],
  ["a sharee's", { acl: ['bob'] }, BOB, true],
  ["the admin's", {}, ADMIN, false],
];
for (const [what, fields, owner, keeps] of DEPENDENTS) {
  t.test(`an image that is ${what} ${keeps ? 'keeps' : 'does not keep'} its origin`, async (t) => {
    const origin = await make(fields);
    const { uuid } = await operator.createImage({ ...MANIFEST, owner, origin });
    const byOperator = await refusal(operator.deleteImage(origin));
    t.match(byOperator, { status: 422, code: 'ImageHasDependentImages' }, 'operators see what they would break');
    t.match(byOperator.message, uuid);
    if (keeps) {
      const { status, code, message } = await refusal(alice.deleteImage(origin));
      t.match({ status, code }, { status: 422, code: 'ImageHasDependentImages' });
      t.equal(message.includes(uuid), owner === ALICE, 'only her own is named');
      t.notMatch(message, owner === ALICE ? /other accounts/ : /[0-9a-f-]{36}.*[0-9a-f-]{36}/);
    } else {
      await alice.deleteImage(origin);
      t.equal(await recordOf(server, origin), undefined);
      t.equal((await operator.getImage(uuid)).origin, origin, 'what was built on it is left alone');
    }
    await operator.deleteImage(uuid);
  });
}

t.test('whoever stops sharing an image can delete it, whatever was built on it', async (t) => {
  const origin = await make({ acl: ['bob'] });
  const { uuid } = await bob.createImage({ ...MANIFEST, origin });
  t.match(await refusal(alice.deleteImage(origin)), {
    code: 'ImageHasDependentImages',
    message: /stop sharing it with them/,
  });
  await alice.removeImageAcl(origin, ['bob']);
  await alice.deleteImage(origin);
  t.match(await refusal(bob.createImage({ ...MANIFEST, origin })), { code: 'OriginDoesNotExist' });
  await bob.deleteImage(uuid);
});

t.test('nobody is told of images of others beside its own', async (t) => {
  const origin = await make({ acl: ['bob'] });
  const { uuid: own } = await alice.createImage({ ...MANIFEST, origin });
  for (let n = 0; n < 12; n++) await bob.createImage({ ...MANIFEST, origin });
  const { message } = await refusal(alice.deleteImage(origin));
  t.equal(message, `image "${origin}" is the origin of ${own}`);
  const asOperator = (await refusal(operator.deleteImage(origin))).message;
  t.match(asOperator, /\(13 in all\)$/);
});

t.test('images that build on it and are going, or are left by a failed copy, do not keep an image', async (t) => {
  const origin = await make();
  const going = unactivatedRecord(randomUUID(), BOB, { origin, state: 'deleting' });
  const left = unactivatedRecord(randomUUID(), BOB, {
    origin,
    state: 'creating',
    copy: { state: 'failed', datacenter: 'elsewhere' },
  });
  await putRecord(server, going);
  await putRecord(server, left);
  await alice.deleteImage(origin);
  t.equal(await recordOf(server, origin), undefined);
});

t.test('whoever deletes an image and whoever builds on it never both win', async (t) => {
  const outcomes = { deleted: 0, built: 0 };
  for (let round = 0; round < 40; round++) {
    const origin = await make();
    // A deletion takes longer to come to its point than a creation, so it gets a head start of varying length.
    const deletion = alice.deleteImage(origin);
    deletion.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, round / 4));
    const [gone, child] = await Promise.allSettled([
      deletion,
      round % 2 === 0
        ? alice.createImage({ ...MANIFEST, origin })
        : operator.adminImportImage({ ...MANIFEST, v: 2, uuid: randomUUID(), owner: ALICE, origin }),
    ]);
    if (gone.status === 'fulfilled') {
      outcomes.deleted++;
      if (child.status === 'fulfilled') return t.fail('both have won');
      t.match(await refusal(Promise.reject(child.reason)), { status: 422, code: 'OriginDoesNotExist' });
    } else {
      outcomes.built++;
      t.match(await refusal(Promise.reject(gone.reason)), { status: 422, code: 'ImageHasDependentImages' });
      t.equal(child.status, 'fulfilled');
      t.equal((await operator.getImage(origin)).uuid, origin);
    }
  }
  t.comment(JSON.stringify(outcomes));
});

t.test('of many who delete an image at once, one does, and the others find nothing', async (t) => {
  const uuid = await make();
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => alice.deleteImage(uuid)));
  t.ok(results.some(({ status }) => status === 'fulfilled'));
  for (const it of results) {
    if (it.status === 'rejected') t.match(await refusal(Promise.reject(it.reason)), { status: 404 });
  }
  t.equal(await recordOf(server, uuid), undefined);
  t.same(await objectsOf(server.dataDir, uuid), []);
});

t.test('a file that is being read when its image is deleted is read to its end', async (t) => {
  const { image, bytes } = await makeImage(operator, {}, { owner: ALICE, size: 8 * 1024 * 1024 });
  const { stream } = await operator.getImageFile(image.uuid);
  await operator.deleteImage(image.uuid);
  t.ok((await bytesOf(stream)).equals(bytes));
});

t.test('what a crash left of a deletion', async (t) => {
  const crashed = async () => {
    const { image } = await makeImage(operator, { acl: ['bob'], public: true }, { owner: ALICE, size: 10 });
    const record = await recordOf(server, image.uuid);
    if (!record) throw new Error('the image is not there');
    await putRecord(server, { ...record, state: 'deleting', activated: false, disabled: true, public: false });
    return image.uuid;
  };

  await t.test('is seen by nobody', async (t) => {
    const uuid = await crashed();
    for (const client of [operator, alice]) {
      t.match(await refusal(client.getImage(uuid)), { status: 404 });
      t.match(await refusal(client.updateImage(uuid, { name: 'x' })), { status: 404 });
      t.match(await refusal(client.addImageAcl(uuid, [BOB])), { status: 404 });
      t.match(await refusal(client.getImageFile(uuid)), { status: 404 });
      t.match(await refusal(client.addImageFile(uuid, nothing(), { compression: 'none' })), { status: 404 });
      t.match(await refusal(client.createImage({ ...MANIFEST, owner: ALICE, origin: uuid })), {
        code: 'OriginDoesNotExist',
      });
      t.notOk((await client.listImages({ state: 'all' })).some((it) => it.uuid === uuid));
    }
  });

  await t.test('is finished by a task', async (t) => {
    const uuid = await crashed();
    await finishDeletes(server.imgapi.service);
    t.equal(await recordOf(server, uuid), undefined);
    t.same(await objectsOf(server.dataDir, uuid), []);
  });

  await t.test('is finished by whoever imports that image again, without its old bytes', async (t) => {
    const uuid = await crashed();
    const image = await operator.adminImportImage({ ...MANIFEST, v: 2, uuid, owner: BOB, name: 'again' });
    t.match(image, { name: 'again', owner: BOB, files: [], acl: undefined });
    t.same(await objectsOf(server.dataDir, uuid), []);
    t.match(await refusal(operator.getImageFile(uuid)), { status: 404 });
  });

  await t.test('takes nothing else with it', async (t) => {
    const uuid = await crashed();
    const neighbour = join(server.dataDir, 'storage', 'images', uuid.slice(0, 3), `${uuid.slice(0, 3)}-neighbour`);
    await mkdir(neighbour, { recursive: true });
    await writeFile(join(neighbour, 'file0'), 'mine');
    await finishDeletes(server.imgapi.service);
    t.equal(await readFile(join(neighbour, 'file0'), 'utf8'), 'mine');
  });
});

async function* nothing(): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from('x');
}
