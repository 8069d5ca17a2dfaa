import { randomBytes } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import t from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { UnsupportedError } from '#lib/objects/errors.ts';
import { cloneImage } from '#src/images/cloning/clone.ts';
import { CLONES } from '#src/images/cloning/clone-journal.ts';
import { Storages } from '#src/service/storages.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { startSite } from '../../../helpers/cloud.ts';
import { makeImage, sha1Of } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { assertSound, sha1Served } from '../../../helpers/invariants.ts';
import { bytesOf } from '../fixture.ts';

const server = await startInProcess(t);
const { service } = server.imgapi;
const operator = server.client();
const alice = server.client({ account: ALICE });
const bob = server.client({ account: BOB });

const objectPath = (uuid: string, name = 'file0' as 'file0' | 'icon') =>
  join(server.dataDir, 'storage', imageObjectPath(uuid, name));

/** A chain of alice's images on one of the admin's, base first; the last one is shared with bob. */
async function sharedChain(fields: object = {}): Promise<{ base: Image; middle: Image; top: Image }> {
  const { image: base } = await makeImage(operator, { name: 'base', public: true }, { owner: ADMIN });
  const { image: middle } = await makeImage(operator, { name: 'middle', origin: base.uuid }, { owner: ALICE });
  const { image: top } = await makeImage(
    operator,
    { name: 'top', origin: middle.uuid, ...fields },
    { owner: ALICE, size: 50_000 },
  );
  return { base, middle, top: await alice.addImageAcl(top.uuid, ['bob', CAROL]) };
}

t.test('a clone is an image of the account, with the bytes of the one that was shared with it', async (t) => {
  const { middle, base, top } = await sharedChain({
    description: 'made by alice',
    tags: { role: 'db' },
    requirements: { min_ram: 512 },
  });
  const clone = await bob.cloneImage(top.uuid);
  t.match(clone, {
    name: 'top',
    version: '1.0.0',
    owner: BOB,
    owner_login: 'bob',
    state: 'active',
    public: false,
    description: 'made by alice',
    tags: { role: 'db' },
    requirements: { min_ram: 512 },
    cloned_from: { uuid: top.uuid, owner: ALICE },
    files: top.files,
  });
  t.equal(clone.acl, undefined, 'nobody else may use it');
  t.not(clone.uuid, top.uuid);
  t.ok(Date.parse(clone.published_at ?? '') >= Date.parse(top.published_at ?? ''));
  t.equal(await sha1Served(bob, clone.uuid), top.files[0]?.sha1);

  const origin = await bob.getImage(clone.origin ?? '');
  t.match(origin, { name: 'middle', owner: BOB, state: 'disabled', origin: base.uuid, files: middle.files });
  t.same(origin.cloned_from, { uuid: middle.uuid, owner: ALICE });
  t.same(
    (await bob.getImageAncestry(clone.uuid)).map(({ uuid }) => uuid),
    [clone.uuid, origin.uuid, base.uuid],
    "the operators' image is the same for both",
  );
});

t.test('the bytes are not moved, and outlive the image that they came from', async (t) => {
  const { image } = await makeImage(alice, {}, { size: 40_000 });
  await alice.addImageAcl(image.uuid, [BOB]);
  const clone = await bob.cloneImage(image.uuid);
  t.equal((await stat(objectPath(clone.uuid))).ino, (await stat(objectPath(image.uuid))).ino);
  await alice.deleteImage(image.uuid);
  t.equal(await sha1Served(bob, clone.uuid), image.files[0]?.sha1);
  t.same((await bob.getImage(clone.uuid)).cloned_from, { uuid: image.uuid, owner: ALICE });
});

t.test('where a clone came from is for its owner and version 3 alone', async (t) => {
  const { image } = await makeImage(alice);
  await alice.addImageAcl(image.uuid, [BOB]);
  const { uuid } = await bob.cloneImage(image.uuid);
  await bob.addImageAcl(uuid, [CAROL]);
  t.equal((await server.client({ account: CAROL }).getImage(uuid)).cloned_from, undefined);
  t.equal((await server.client({ account: BOB, version: '~2' }).getImage(uuid)).cloned_from, undefined);
});

t.test('icon and urn are no obstacle', async (t) => {
  const uuid = '11111111-aaaa-4bbb-8ccc-000000000001';
  await operator.adminImportImage({
    ...{ uuid, v: 2, owner: ALICE, name: 'with-urn', version: '1.0.0', type: 'zone-dataset', os: 'smartos' },
    urn: 'cloud:alice:with-urn:1.0.0',
  });
  const bytes = randomBytes(1000);
  await operator.addImageFile(uuid, [bytes] as never, { compression: 'none', sha1: sha1Of(bytes) });
  await operator.activateImage(uuid);
  const icon = randomBytes(500);
  await alice.addImageIcon(uuid, icon, 'image/png');
  await alice.addImageAcl(uuid, ['bob']);
  const [one, two] = [await bob.cloneImage(uuid), await bob.cloneImage(uuid)];
  t.not(one.uuid, two.uuid, 'each time a new one');
  for (const clone of [one, two]) {
    t.equal(clone.urn, undefined);
    t.equal(clone.icon, true);
    const { contentType, stream } = await bob.getImageIcon(clone.uuid);
    t.equal(contentType, 'image/png');
    t.same(await bytesOf(stream), icon);
  }
});

t.test('the image that was asked for keeps its state, and those that come along are disabled', async (t) => {
  const { middle, top } = await sharedChain();
  const own = async () => (await bob.listImages({ owner: BOB })).map(({ uuid }) => uuid);
  const before = await own();
  const active = await bob.cloneImage(top.uuid);
  t.match(active, { state: 'active', disabled: false });
  t.match(await bob.getImage(active.origin ?? ''), { state: 'disabled', disabled: true });
  t.same((await own()).toSorted(), [...before, active.uuid].toSorted(), 'only the one is listed as active');
  t.equal((await alice.getImage(middle.uuid)).state, 'active', 'what it was cloned from stays as it was');
  await alice.disableImage(top.uuid);
  t.equal((await bob.cloneImage(top.uuid)).state, 'disabled');
});

t.test('what cannot be cloned', async (t) => {
  const { image } = await makeImage(alice);
  const { image: open } = await makeImage(operator, { public: true }, { owner: ADMIN });
  const { image: pending } = await makeImage(alice, {}, { activate: false });
  const { image: docker } = await makeImage(operator, { type: 'docker', os: 'linux' }, { owner: ALICE });
  await alice.addImageAcl(docker.uuid, [BOB]);
  const { top } = await sharedChain();
  const clone = await bob.cloneImage(top.uuid);
  const refused = async (what: string, call: Promise<unknown>, expected: object) => {
    t.match(await call.catch((error: unknown) => error), expected, what);
  };
  await refused('not visible', bob.cloneImage(image.uuid), { statusCode: 404, code: 'ResourceNotFound' });
  await refused('no account', operator.cloneImage(top.uuid), {
    statusCode: 422,
    code: 'InvalidParameter',
    errors: [{ field: 'account', code: 'Invalid' }],
  });
  await refused('bad account', operator.cloneImage(top.uuid, { account: 'bob' }), {
    statusCode: 422,
    code: 'InvalidParameter',
    errors: [{ field: 'account', code: 'Invalid' }],
  });
  await refused('not activated', alice.cloneImage(pending.uuid), {
    statusCode: 422,
    code: 'ValidationFailed',
    errors: [{ field: 'active' }],
  });
  await refused('own', alice.cloneImage(image.uuid), {
    statusCode: 422,
    code: 'ImageNotShared',
    message: `image "${image.uuid}" is not shared with account "${ALICE}"`,
  });
  await refused('public', bob.cloneImage(open.uuid), { statusCode: 422, code: 'ImageNotShared' });
  await refused('a clone, by its owner', bob.cloneImage(clone.uuid), { statusCode: 422, code: 'ImageNotShared' });
  await refused('docker', bob.cloneImage(docker.uuid), {
    statusCode: 422,
    code: 'ValidationFailed',
    errors: [{ field: 'type' }],
  });
  await refused('no UUID', bob.cloneImage('nonsense'), { statusCode: 404, code: 'ResourceNotFound' });
});

t.test('outside a datacenter there is no such route', async (t) => {
  const standalone = await startInProcess(t, { mode: 'private', datacenterName: undefined, adminUuid: undefined });
  const client = standalone.client();
  const { image } = await makeImage(client, { owner: '00000000-0000-0000-0000-000000000000' });
  t.match(await client.cloneImage(image.uuid, { account: BOB }).catch((error: unknown) => error), { statusCode: 404 });
});

t.test('a clone that fails at its last image leaves nothing behind', async (t) => {
  const { top } = await sharedChain();
  const before = await everything();
  await rm(objectPath(top.uuid));
  t.match(await bob.cloneImage(top.uuid).catch((error: unknown) => error), { statusCode: 404 });
  const after = await everything();
  t.same(after.images, before.images);
  t.same(after.notes, []);
  t.same(
    before.objects.filter((path) => !after.objects.includes(path)),
    [imageObjectPath(top.uuid, 'file0')],
    'only what was taken away is missing',
  );
  t.equal(after.objects.length, before.objects.length - 1);
});

t.test('an image that is unshared while it is cloned is not cloned', async (t) => {
  const { top } = await sharedChain();
  const before = await everything();
  const faults = {
    async reach(point: string) {
      if (point === 'clone:placed') await alice.removeImageAcl(top.uuid, ['bob']);
    },
  };
  await t.rejects(
    cloneImage({ ...service, faults }, { source: top.uuid, account: BOB }, new AbortController().signal),
    {
      code: 'ImageNotShared',
    },
  );
  t.same(await everything(), before);
});

t.test('nothing is seen of a clone until all of it is there', async (t) => {
  const { top } = await sharedChain();
  const seen: number[] = [];
  const count = async () => (await bob.listImages({ owner: BOB, state: 'all' })).length;
  const before = await count();
  const faults = {
    async reach() {
      seen.push((await count()) - before);
    },
  };
  await cloneImage({ ...service, faults }, { source: top.uuid, account: BOB }, new AbortController().signal);
  t.same(seen, [0, 0, 2]);
});

t.test('a store that has no second names copies the bytes', async (t) => {
  const { top } = await sharedChain();
  const local = service.storages.named('local');
  const noLinks = new Proxy(local, {
    get(target, name) {
      if (name === 'link') return () => Promise.reject(new UnsupportedError('supportsLink', 'it'));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { key } = await cloneImage(
    { ...service, storages: new Storages(service.config, noLinks) },
    { source: top.uuid, account: BOB },
    new AbortController().signal,
  );
  t.not((await stat(objectPath(key))).ino, (await stat(objectPath(top.uuid))).ino);
  t.equal(await sha1Served(bob, key), top.files[0]?.sha1);
  t.same(await local.sessions(), []);
});

t.test('a process that dies while it clones leaves all of the clone or nothing', async (t) => {
  const site = await startSite(t, 'us-east');
  const { image: base } = await makeImage(site.alice, {}, { size: 10_000 });
  const { image } = await makeImage(site.alice, { origin: base.uuid }, { size: 10_000 });
  await site.alice.addImageAcl(image.uuid, ['bob']);
  const bobThere = site.client(BOB);
  for (const [fault, images] of [
    ['clone:journaled=kill', 0],
    ['clone:placed=kill', 0],
    ['clone:committed=kill', 2],
  ] as const) {
    await site.restart({ fault });
    await t.rejects(bobThere.cloneImage(image.uuid), { name: 'ImgapiUnreachableError' });
    await site.diesByItself();
    await site.start({ later: 120_000 });
    await assertSound(t, site);
    t.equal((await bobThere.listImages({ owner: BOB, state: 'all' })).length, images, fault);
  }
});

async function everything(): Promise<{ images: string[]; notes: unknown[]; objects: string[] }> {
  const images = await operator.listImages({ state: 'all' });
  return {
    images: images.map(({ uuid }) => uuid).toSorted(),
    notes: await service.store.find(CLONES, {}),
    objects: (await objectsBelow('images')).toSorted(),
  };
}

async function objectsBelow(folder: string): Promise<string[]> {
  const root = join(server.dataDir, 'storage');
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)));
}
