/** Giving an image away: to change its owner. */
import t from 'tap';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { refusal } from '../fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });
const bob = server.client({ account: BOB });
const carol = server.client({ account: CAROL });
const NOBODY = '00000000-1111-4222-8333-444444444444';

const make = async (fields: object = {}) => (await makeImage(alice, fields, { size: 10 })).image;

t.test('an owner gives an image away with its shares, and loses it', async (t) => {
  const image = await make({ acl: ['carol'] });
  const given = await alice.updateImage(image.uuid, { owner: BOB });
  t.equal(given.owner, BOB);
  t.match(await refusal(alice.getImage(image.uuid)), { status: 404 });
  t.same((await bob.getImage(image.uuid)).acl, ['carol']);
  t.same((await server.client({ account: CAROL }).getImage(image.uuid)).shared_as, ['carol']);
  t.match(await refusal(alice.updateImage(image.uuid, { owner: ALICE })), { status: 404 });
});

t.test('what builds on another image is given away unshared, so that it opens nothing of its new owner', async (t) => {
  const base = await make({ name: 'base-of-alice', acl: [BOB] });
  const { image } = await makeImage(bob, { origin: base.uuid, acl: [BOB, 'carol', NOBODY] });
  const { image: plain } = await makeImage(bob, { acl: [CAROL] });
  await carol.removeImageAcl(image.uuid, [CAROL]);
  await alice.removeImageAcl(base.uuid, [BOB]);

  for (const acl of [[BOB], ['carol'], 'carol']) {
    const answer = await refusal(bob.updateImage(image.uuid, { owner: ALICE, acl }));
    t.match(answer, { code: 'ValidationFailed', fields: ['acl'] });
  }
  t.match((await bob.updateImage(image.uuid, { acl: [BOB, CAROL] })).acl, [BOB, CAROL], 'as long as it is its own');
  await bob.updateImage(image.uuid, { owner: ALICE, acl: [], description: 'a gift' });
  await bob.updateImage(plain.uuid, { owner: ALICE });

  for (const client of [bob, carol]) {
    for (const { uuid } of [image, base]) t.match(await refusal(client.getImage(uuid)), { status: 404 });
    t.match(await refusal(client.cloneImage(image.uuid)), { status: 404 });
  }
  t.match(await alice.getImage(image.uuid), {
    owner: ALICE,
    description: 'a gift',
    acl: undefined,
    left_by: undefined,
  });
  t.same((await alice.getImage(plain.uuid)).acl, [CAROL], 'what builds on nothing keeps its shares');
  await alice.addImageAcl(image.uuid, [BOB]);
  t.equal((await bob.getImage(base.uuid)).name, 'base-of-alice', 'the new owner opens both');
});

t.test('operators give an image to somebody else with the shares that they see', async (t) => {
  const base = await make();
  const image = await make({ origin: base.uuid, acl: [CAROL] });
  t.same((await operator.updateImage(image.uuid, { owner: BOB })).acl, [CAROL]);
});
