/** Shares that wait for the account that they are for: offers, acceptance, trusted senders, and leaving. */
import t from 'tap';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';

const server = await startInProcess(t);
const operator = server.client();
const [alice, bob, carol] = [ALICE, BOB, CAROL].map((account) => server.client({ account }));
if (!alice || !bob || !carol) throw new Error('somebody is missing');

const uuids = (images: readonly { readonly uuid: string }[]): string[] => images.map(({ uuid }) => uuid);
const listed = async (client: typeof alice, filter = {}): Promise<string[]> => uuids(await client.listImages(filter));
const offered = (client: typeof alice): Promise<string[]> => listed(client, { offered: true });
const shared = async (entries: readonly string[]): Promise<string> => {
  const { image } = await makeImage(alice);
  await alice.addImageAcl(image.uuid, entries);
  return image.uuid;
};

t.test('by default what is shared is in the lists at once, and nothing is offered', async (t) => {
  const uuid = await shared([BOB]);
  t.ok((await listed(bob)).includes(uuid));
  t.ok((await listed(bob, { shared: true })).includes(uuid));
  t.same(await offered(bob), []);
  t.same(await bob.getShareSettings(BOB), { account: BOB, acceptance: 'automatic', own: false, trusted: [] });
});

t.test(
  'an account that wants to be asked is offered what others share with it, and lists what it accepts',
  async (t) => {
    const before = await shared(['bob']);
    t.ok((await listed(bob)).includes(before));
    t.match(await bob.changeShareSettings(BOB, { acceptance: 'offers' }), { acceptance: 'offers', own: true });
    const uuid = await shared(['bob', CAROL]);
    t.notOk((await listed(bob)).includes(uuid), 'in no list');
    t.notOk((await listed(bob, { owner: ALICE })).includes(uuid), 'nor in that of its owner');
    t.notOk((await listed(bob, { shared: true })).includes(uuid), 'nor in that of what is shared');
    t.notOk((await listed(bob, { state: 'all', limit: 1000 })).includes(uuid));
    t.ok((await offered(bob)).includes(uuid));
    t.ok((await offered(bob)).includes(before), 'what was shared before is offered as well');
    t.equal((await bob.getImage(uuid)).uuid, uuid, 'by its UUID it can be used');
    t.ok((await listed(carol)).includes(uuid), 'another account is asked by its own settings');
    t.equal((await alice.getImage(uuid)).accepted_by, undefined, 'the owner is not told who is asked');

    t.equal((await bob.acceptImage(uuid)).uuid, uuid);
    t.equal((await bob.acceptImage(uuid)).uuid, uuid, 'once more is no error');
    t.ok((await listed(bob)).includes(uuid));
    t.notOk((await offered(bob)).includes(uuid));
    t.same((await alice.getImage(uuid)).accepted_by, ['bob'], 'the owner sees it, by the entry that was typed');
    t.equal((await carol.getImage(uuid)).accepted_by, undefined, 'others do not');
    const events = await alice.listImageEvents(uuid);
    t.match(
      events.find(({ kind }) => kind === 'accept'),
      { actor: { account: BOB }, details: { entries: ['bob'] } },
    );
  },
);

t.test('whoever left and is invited again is asked again', async (t) => {
  const uuid = await shared([BOB]);
  await bob.acceptImage(uuid);
  await bob.removeImageAcl(uuid, [BOB]);
  t.match(await alice.getImage(uuid), { left_by: [BOB], accepted_by: undefined });
  await t.rejects(bob.acceptImage(uuid), { code: 'ResourceNotFound' }, 'what was left cannot be accepted');
  await alice.addImageAcl(uuid, [BOB]);
  t.ok((await offered(bob)).includes(uuid));
  t.notOk((await listed(bob)).includes(uuid));
  await bob.acceptImage(uuid);
  await alice.removeImageAcl(uuid, [BOB]);
  await alice.addImageAcl(uuid, ['bob']);
  t.ok((await offered(bob)).includes(uuid), 'and so is whose share the owner ended');
});

t.test('an offer is refused by leaving it', async (t) => {
  const uuid = await shared(['bob']);
  t.equal(await bob.removeImageAcl(uuid, ['bob']), undefined);
  t.notOk((await offered(bob)).includes(uuid));
  t.same((await alice.getImage(uuid)).left_by, ['bob']);
});

t.test('what a trusted account shares is no offer, as long as it is trusted', async (t) => {
  const uuid = await shared([BOB]);
  t.notOk((await listed(bob)).includes(uuid));
  const settings = await bob.changeShareSettings(BOB, { trusted: ['alice', 'nobody-has-this', CAROL] });
  t.same(settings.trusted, ['alice', 'nobody-has-this', CAROL], 'a login that nobody has is answered alike');
  t.equal(settings.acceptance, 'offers', 'what is not named stays');
  t.ok((await listed(bob)).includes(uuid));
  t.notOk((await offered(bob)).includes(uuid));
  t.equal((await alice.getImage(uuid)).accepted_by, undefined, 'she is not told that she is trusted');
  await bob.changeShareSettings(BOB, { trusted: [] });
  t.notOk((await listed(bob)).includes(uuid));
});

t.test('pages are full, whatever is left out of them', async (t) => {
  const wanted: string[] = [];
  for (let i = 0; i < 4; i++) {
    const uuid = await shared([BOB]);
    if (i % 2 === 0) continue;
    await bob.acceptImage(uuid);
    wanted.push(uuid);
  }
  const all = await listed(bob, { owner: ALICE });
  t.ok(wanted.every((uuid) => all.includes(uuid)));
  t.same(await listed(bob, { owner: ALICE, limit: 2 }), all.slice(0, 2));
  const marker = all[1] ?? '';
  t.same(await listed(bob, { owner: ALICE, limit: 1000, marker }), all.slice(1));
});

t.test('only who an image is shared with accepts it, and public images wait for nobody', async (t) => {
  const { image } = await makeImage(alice);
  await t.rejects(bob.acceptImage(image.uuid), { code: 'ResourceNotFound' });
  await t.rejects(alice.acceptImage(image.uuid), { statusCode: 422, code: 'ImageNotShared' });
  await t.rejects(operator.acceptImage(image.uuid, {}), { code: 'InvalidParameter' });
  await operator.updateImage(image.uuid, { public: true });
  t.ok((await listed(bob)).includes(image.uuid));
  await t.rejects(bob.acceptImage(image.uuid), { statusCode: 422, code: 'NotImageOwner' });
});

t.test("an account reads and changes its own settings, and no other's", async (t) => {
  await t.rejects(alice.getShareSettings(BOB), { code: 'ResourceNotFound' });
  await t.rejects(alice.changeShareSettings(BOB, { acceptance: 'automatic' }), { code: 'ResourceNotFound' });
  t.equal((await operator.getShareSettings(BOB)).acceptance, 'offers');
  for (const change of [{}, [], { acceptance: 'never' }, { trusted: 'alice' }, { trusted: ['a b'] }, { more: 1 }]) {
    await t.rejects(bob.changeShareSettings(BOB, change as object), { statusCode: 422, code: 'ValidationFailed' });
  }
  const many = Array.from({ length: 1001 }, (_, i) => `login-${i}`);
  await t.rejects(bob.changeShareSettings(BOB, { trusted: many }), { code: 'ValidationFailed' });
});

t.test('of an owner who ends a share and the account that accepts it at the same time one comes first', async (t) => {
  for (let i = 0; i < 5; i++) {
    const uuid = await shared([BOB]);
    const [accepted] = await Promise.allSettled([bob.acceptImage(uuid), alice.removeImageAcl(uuid, [BOB])]);
    if (accepted.status === 'rejected') t.equal(accepted.reason.statusCode, 404);
    await t.rejects(bob.getImage(uuid), { code: 'ResourceNotFound' });
    await alice.addImageAcl(uuid, [BOB]);
    t.equal((await alice.getImage(uuid)).accepted_by, undefined, 'nothing is left of it');
  }
});

t.test('settings that change at the same time are all kept', async (t) => {
  await Promise.all([
    bob.changeShareSettings(BOB, { acceptance: null }),
    bob.changeShareSettings(BOB, { trusted: [CAROL] }),
  ]);
  t.same(await bob.getShareSettings(BOB), { account: BOB, acceptance: 'automatic', own: false, trusted: [CAROL] });
  t.same(await offered(bob), [], 'all is listed again');
});
