/** Which origins a clone takes, which it finds made already, and what is looked at once more before it is there. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { cloneImage } from '#src/images/cloning/clone.ts';
import { CLONES } from '#src/images/cloning/clone-journal.ts';
import { CLONED } from '#src/images/cloning/cloned.ts';
import type { StoredImage } from '#src/images/record/load.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { sha1Served } from '../../../helpers/invariants.ts';
import { putRecord, recordOf, refusal } from '../fixture.ts';

const NOWHERE = '11111111-2222-4333-8444-555555555555';

const server = await startInProcess(t);
const { service } = server.imgapi;
const operator = server.client();
const alice = server.client({ account: ALICE });
const bob = server.client({ account: BOB });

/** Two of alice's images on one of the admin's, base first; the last one is shared with bob. */
async function sharedChain(): Promise<{ base: Image; middle: Image; top: Image }> {
  const { image: base } = await makeImage(operator, { name: 'base', public: true }, { owner: ADMIN });
  const { image: middle } = await makeImage(operator, { name: 'middle', origin: base.uuid }, { owner: ALICE });
  const { image: top } = await makeImage(operator, { name: 'top', origin: middle.uuid }, { owner: ALICE });
  return { base, middle, top: await alice.addImageAcl(top.uuid, ['bob']) };
}

async function everything(): Promise<{ images: string[]; notes: unknown[]; objects: string[] }> {
  const images = await operator.listImages({ state: 'all' });
  return {
    images: images.map(({ uuid }) => uuid).toSorted(),
    notes: await service.store.find(CLONES, {}),
    objects: (await readdir(join(server.dataDir, 'storage', 'images'), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .toSorted(),
  };
}

/** What a clone does while the bytes are in their places and nothing is decided yet. */
function cloneWhile(uuid: string, meanwhile: () => Promise<unknown>): Promise<unknown> {
  let isFirst = true;
  const faults = {
    async reach(point: string) {
      if (point !== 'clone:placed' || !isFirst) return;
      isFirst = false;
      await meanwhile();
    },
  };
  return cloneImage({ ...service, faults }, { source: uuid, account: BOB }, new AbortController().signal);
}

t.test('origins are taken that belong to the owner of the image, or that the cloner may see', async (t) => {
  const cases: readonly [what: string, origin: object, owner: string, isTaken: boolean][] = [
    ["the owner's", {}, ALICE, true],
    ["the owner's, disabled", { disabled: true }, ALICE, true],
    ["somebody else's", {}, CAROL, false],
    ["somebody else's, shared with the owner of the image", { acl: [ALICE] }, CAROL, false],
    ["somebody else's, shared with the cloner", { acl: ['bob'] }, CAROL, true],
    ["somebody else's, for everybody", { public: true }, CAROL, true],
    ["the operators'", {}, ADMIN, false],
    ["the operators', for everybody", { public: true }, ADMIN, true],
  ];
  for (const [what, fields, owner, isTaken] of cases) {
    const secret = { name: 'secret-name', version: '7.7.7', description: 'secret-text' };
    const { image: origin } = await makeImage(operator, { ...secret, ...fields }, { owner });
    const { image } = await makeImage(operator, { origin: origin.uuid }, { owner: ALICE });
    await alice.addImageAcl(image.uuid, ['bob']);
    const before = await everything();
    if (isTaken) {
      const clone = await bob.cloneImage(image.uuid);
      t.match(clone, { owner: BOB, state: 'active' }, what);
      t.equal((await bob.getImageAncestry(clone.uuid)).length, 2, `${what}: its chain is whole`);
      continue;
    }
    const refused = await bob.cloneImage(image.uuid).catch((error: unknown) => error as Error);
    await putRecord(server, { ...(await recordOf(server, image.uuid))!, origin: NOWHERE });
    const absent = await bob.cloneImage(image.uuid).catch((error: unknown) => error as Error);
    t.match(refused, { statusCode: 422, code: 'OriginDoesNotExist' }, what);
    const [one, other] = [refused, absent].map((error) => (error as Error).message);
    t.equal(one?.replace(origin.uuid, NOWHERE), other, `${what} is answered like one that is absent`);
    t.same(await everything(), before, `${what}: nothing is left`);
  }
});

t.test('what somebody built on an image while it was shared brings that image to nobody once it is not', async (t) => {
  const { image: taken } = await makeImage(alice, { description: 'as it was' });
  await alice.addImageAcl(taken.uuid, [CAROL]);
  const { image: built } = await makeImage(server.client({ account: CAROL }), { origin: taken.uuid });
  await operator.addImageAcl(built.uuid, [BOB]);
  await alice.removeImageAcl(taken.uuid, [CAROL]);
  await alice.updateImage(taken.uuid, { description: 'not for carol' });
  t.match(await refusal(bob.cloneImage(built.uuid)), { status: 422, code: 'OriginDoesNotExist' });
  await alice.deleteImage(taken.uuid);
  t.match(await refusal(bob.cloneImage(built.uuid)), { status: 422, code: 'OriginDoesNotExist' });
  t.equal((await bob.getImage(built.uuid)).origin, taken.uuid, 'what builds on it stays as it is');
  await server.client({ account: CAROL }).deleteImage(built.uuid);
});

t.test('what may be taken is looked at again when all bytes are there', async (t) => {
  const meanwhiles: Record<string, (origin: string) => Promise<unknown>> = {
    'the origin is unshared': (origin) => operator.removeImageAcl(origin, [BOB]),
    'the origin is given to somebody else': async (origin) => {
      await operator.removeImageAcl(origin, [BOB]);
      await operator.updateImage(origin, { owner: ADMIN });
    },
  };
  for (const [what, meanwhile] of Object.entries(meanwhiles)) {
    const { image: origin } = await makeImage(operator, { acl: [ALICE, BOB] }, { owner: CAROL });
    const { image } = await makeImage(alice, { origin: origin.uuid });
    await alice.addImageAcl(image.uuid, [BOB]);
    const before = await everything();
    await t.rejects(
      cloneWhile(image.uuid, () => meanwhile(origin.uuid)),
      { code: 'OriginDoesNotExist' },
      what,
    );
    t.same(await everything(), before, what);
  }
});

t.test('an origin that the account has cloned already is used again', async (t) => {
  const { base, middle, top } = await sharedChain();
  const { image: second } = await makeImage(alice, { origin: middle.uuid });
  const { image: third } = await makeImage(alice, { origin: top.uuid });
  for (const { uuid } of [second, third]) await alice.addImageAcl(uuid, ['bob', CAROL]);
  const one = await bob.cloneImage(top.uuid);
  const before = await everything();
  const two = await bob.cloneImage(second.uuid);
  t.equal(two.origin, one.origin);
  const three = await bob.cloneImage(third.uuid);
  t.equal(three.origin, one.uuid, 'also one that was cloned for itself');
  t.same(
    (await bob.getImageAncestry(three.uuid)).map(({ uuid }) => uuid),
    [three.uuid, one.uuid, one.origin, base.uuid],
  );
  t.equal((await everything()).images.length, before.images.length + 2, 'only what was asked for is new');
  for (const clone of [one, two, three]) t.equal(await sha1Served(bob, clone.uuid), clone.files[0]?.sha1);

  const carols = await server.client({ account: CAROL }).cloneImage(second.uuid);
  t.not(carols.origin, one.origin, 'another account has clones of its own');

  t.match(await refusal(bob.deleteImage(one.origin ?? '')), { code: 'ImageHasDependentImages' });
  for (const { uuid } of [three, one, two]) await bob.deleteImage(uuid);
  await bob.deleteImage(one.origin ?? '');
  const notes = await service.store.find(CLONED, {});
  t.notOk(
    notes.some(({ value }) => [one.uuid, one.origin].includes(value.clone)),
    'no note is left of what is gone',
  );
  const again = await bob.cloneImage(second.uuid);
  t.not(again.origin, one.origin);
  t.match(await bob.getImage(again.origin ?? ''), {
    owner: BOB,
    state: 'disabled',
    cloned_from: { uuid: middle.uuid },
  });
});

t.test('a clone of an origin that is not what it was is not used again', async (t) => {
  const cases: Record<string, (clone: ImageRecord) => ImageRecord> = {
    'it belongs to somebody else': (clone) => ({ ...clone, owner: CAROL }),
    'it has another file': (clone) => ({ ...clone, files: [{ ...clone.files![0]!, sha1: '0'.repeat(40) }] }),
    'it is no clone': ({ cloned_from: _, ...clone }) => clone,
  };
  for (const [what, change] of Object.entries(cases)) {
    const { middle, top } = await sharedChain();
    const one = await bob.cloneImage(top.uuid);
    await putRecord(server, change((await recordOf(server, one.origin ?? ''))!));
    const two = await bob.cloneImage(top.uuid);
    t.not(two.origin, one.origin, what);
    t.match(await recordOf(server, two.origin ?? ''), { owner: BOB, cloned_from: { uuid: middle.uuid } }, what);
    t.equal((await bob.cloneImage(top.uuid)).origin, two.origin, 'the new one is');
  }
});

t.test('an origin of its own is used as it is', async (t) => {
  const { image: origin } = await makeImage(bob);
  await bob.addImageAcl(origin.uuid, ['alice']);
  const { image } = await makeImage(alice, { origin: origin.uuid });
  await alice.addImageAcl(image.uuid, ['bob']);
  t.equal((await bob.cloneImage(image.uuid)).origin, origin.uuid);
});

t.test('many clones at once that need the same origin make it once', async (t) => {
  const { middle } = await sharedChain();
  const tops = await Promise.all(Array.from({ length: 6 }, () => makeImage(alice, { origin: middle.uuid })));
  for (const { image } of tops) await alice.addImageAcl(image.uuid, ['bob']);
  const clones = await Promise.all(tops.map(({ image }) => bob.cloneImage(image.uuid)));
  t.equal(new Set(clones.map(({ origin }) => origin)).size, 1);
  const ofMiddle = (await bob.listImages({ owner: BOB, state: 'all' })).filter(
    ({ cloned_from: from }) => from?.uuid === middle.uuid,
  );
  t.equal(ofMiddle.length, 1);
  t.same((await everything()).notes, []);
});

t.test('an origin that another request clones meanwhile is taken from there', async (t) => {
  const { middle, top } = await sharedChain();
  const { image: second } = await makeImage(alice, { origin: middle.uuid });
  await alice.addImageAcl(second.uuid, ['bob']);
  let first: Image | undefined;
  const clone = (await cloneWhile(top.uuid, async () => {
    first = await bob.cloneImage(second.uuid);
  })) as StoredImage;
  t.equal(clone.value.origin, first?.origin);
  t.same((await everything()).notes, []);
});
