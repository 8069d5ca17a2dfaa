import { test } from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from '../imgapi/fixtures/ask.ts';
import { refusal } from './fixture.ts';

const PAST = '2020-01-31T00:00:00Z';
const FUTURE = '2199-01-31T00:00:00.000Z';

test('an image is deprecated, replaced and cleared by its owner, and shown so in version 3 alone', async (t) => {
  const server = await startInProcess(t);
  const [operator, alice, bob] = [server.client(), server.client({ account: ALICE }), server.client({ account: BOB })];
  const ask = asker(t, server.url);
  const shownToOld = async (uuid: string) =>
    (await ask(`/images/${uuid}`, { headers: { 'accept-version': '*' } })).text;
  const { image } = await makeImage(alice, { acl: ['bob'] }, { size: 10 });
  const { uuid } = image;
  const { uuid: hidden } = (await makeImage(alice, {}, { size: 10 })).image;
  const { uuid: shared } = (await makeImage(alice, { acl: ['bob'] }, { size: 10 })).image;
  const { uuid: bobs } = (await makeImage(bob, {}, { size: 10 })).image;
  const before = await shownToOld(uuid);

  await t.test('it is refused what makes no sense, and told of nothing that it may not see', async (t) => {
    t.match(await refusal(bob.updateImage(uuid, { deprecated_at: PAST })), { status: 422, code: 'NotImageOwner' });
    for (const [fields, field] of [
      [{ deprecated_at: 'soon' }, 'deprecated_at'],
      [{ deprecated_at: true }, 'deprecated_at'],
      [{ replaced_by: shared }, 'replaced_by'],
      [{ deprecated_at: PAST, replaced_by: 'x' }, 'replaced_by'],
      [{ deprecated_at: PAST, replaced_by: uuid }, 'replaced_by'],
      [{ deprecated_at: PAST, replaced_by: bobs }, 'replaced_by'],
      [{ deprecated_at: PAST, replaced_by: '341ef22c-9b65-ecec-894a-ff8bb8133f77' }, 'replaced_by'],
    ] as const) {
      t.match(await refusal(alice.updateImage(uuid, fields)), {
        status: 422,
        code: 'ValidationFailed',
        errors: [{ field }],
      });
    }
    const old = await ask(`/images/${uuid}?action=update`, { method: 'POST', json: { deprecated_at: PAST } });
    t.equal(old.status, 422, 'version 1 does not know it');
    t.match(old.json, { errors: [{ field: 'deprecated_at', code: 'NotAllowed' }] });
  });

  await t.test('the replacement is shown to who may see it', async (t) => {
    t.match(await alice.updateImage(uuid, { deprecated_at: PAST, replaced_by: hidden }), {
      deprecated_at: PAST,
      replaced_by: hidden,
    });
    t.match(await operator.getImage(uuid), { replaced_by: hidden });
    const asBob = await bob.getImage(uuid);
    t.equal(asBob.deprecated_at, PAST);
    t.equal(asBob.replaced_by, undefined);
    const listed = (await bob.listImages({ shared: true })).find((one) => one.uuid === uuid);
    t.match(listed, { deprecated_at: PAST });
    t.equal(listed?.replaced_by, undefined);
    await alice.updateImage(uuid, { replaced_by: shared });
    t.equal((await bob.getImage(uuid)).replaced_by, shared);
    t.equal((await bob.listImages({ shared: true })).find((one) => one.uuid === uuid)?.replaced_by, shared);
    const now = await shownToOld(uuid);
    t.equal(now, before, 'older clients notice nothing');
  });

  await t.test('another replacement is another tag for its owner', async (t) => {
    const tagOf = async (account = ALICE) =>
      (await ask(`/images/${uuid}?account=${account}`, { headers: { 'accept-version': '~3' } })).headers['etag'];
    const [tag, ofSharee] = [await tagOf(), await tagOf(BOB)];
    await alice.updateImage(uuid, { replaced_by: hidden });
    t.not(await tagOf(), tag);
    t.not(await tagOf(BOB), ofSharee, 'and for those who see it no longer');
    await alice.updateImage(uuid, { replaced_by: shared });
    t.equal(await tagOf(), tag);
    t.equal(await tagOf(BOB), ofSharee);
  });

  await t.test('lists are filtered by it', async (t) => {
    const ids = (images: readonly Image[]) => images.map((one) => one.uuid);
    t.same(ids(await alice.listImages({ deprecated: true })), [uuid]);
    t.same(ids(await alice.listImages({ deprecated: false })).toSorted(), [hidden, shared].toSorted());
    await alice.updateImage(hidden, { deprecated_at: FUTURE });
    t.same(ids(await alice.listImages({ deprecated: true })), [uuid], 'it is told beforehand');
    t.equal((await ask('/images?deprecated=true')).status, 422, 'versions 1 and 2 have no such filter');
  });

  await t.test('a clone begins without it', async (t) => {
    const clone = await bob.cloneImage(uuid);
    t.same([clone.deprecated_at, clone.replaced_by], [undefined, undefined]);
  });

  await t.test('its owner takes it back, and the replacement with it', async (t) => {
    await alice.deleteImage(shared);
    t.equal((await alice.getImage(uuid)).replaced_by, undefined, 'what is gone is not shown');
    await alice.updateImage(uuid, { deprecated_at: null });
    t.same(await alice.getImage(uuid), image);
    await alice.updateImage(uuid, { deprecated_at: '' });
    t.same(await alice.getImage(uuid), image);
  });
});
