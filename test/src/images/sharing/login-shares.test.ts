import { randomUUID } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import t from 'tap';
import { bindLateShares, PENDING_SHARES } from '#src/images/sharing/shares.ts';
import { ALICE, BOB, CAROL, PEOPLE, writeAccounts } from '../../../helpers/accounts.ts';
import { makeImage } from '../../../helpers/images.ts';
import { startInProcess } from '../../../helpers/imgapi.ts';
import { TestClock } from '../../../helpers/test-clock.ts';
import { recordOf, refusal } from '../fixture.ts';

const LAG = 300;
const DAVE = 'd0000000-1111-4222-8333-444444444444';
const MALLORY = 'e0000000-1111-4222-8333-444444444444';

const clock = new TestClock();
const server = await startInProcess(t, { accounts: { maxLagSeconds: LAG } }, { clock });
const { service } = server.imgapi;
const operator = server.client();
const alice = server.client({ account: ALICE });

const make = async (acl: readonly string[] = []) =>
  (await makeImage(operator, { acl }, { owner: ALICE, size: 10 })).image.uuid;
const sees = async (account: string, uuid: string) => {
  try {
    return (await server.client({ account }).getImage(uuid)).uuid === uuid;
  } catch {
    return false;
  }
};
/** The directory holds these accounts from now on. */
async function directory(accounts: readonly object[]): Promise<void> {
  await writeAccounts(dirname(server.accountsFile), accounts);
  // Long enough for the file to be looked at again.
  clock.ahead += 1000;
}
const iso = (milliseconds: number) => new Date(milliseconds).toISOString();
const pending = async (uuid: string) => (await service.store.get(PENDING_SHARES, uuid)) !== undefined;

t.test('a share is pinned to the account that held the login', async (t) => {
  t.teardown(() => directory(PEOPLE));
  const uuid = await make(['bob']);
  const others = PEOPLE.filter((account) => account.uuid !== BOB);

  await t.test('and stays its when it takes another login', async (t) => {
    await directory([...others, { uuid: BOB, login: 'bobby' }]);
    t.ok(await sees(BOB, uuid));
    t.same((await server.client({ account: BOB }).getImage(uuid)).shared_as, ['bob']);
  });

  await t.test('and is not opened to who takes the login afterwards', async (t) => {
    await directory([...others, { uuid: BOB, login: 'bobby' }, { uuid: MALLORY, login: 'bob' }]);
    await bindLateShares(service);
    t.notOk(await sees(MALLORY, uuid));
    t.ok(await sees(BOB, uuid));
  });

  await t.test('not even when the owner writes the same list again', async (t) => {
    await directory([...others, { uuid: MALLORY, login: 'bob' }]);
    t.same((await alice.updateImage(uuid, { acl: ['carol', 'bob'] })).acl, ['carol', 'bob']);
    t.notOk(await sees(MALLORY, uuid));
    t.ok(await sees(BOB, uuid));
    await server.client({ account: ALICE, version: '~2' }).updateImage(uuid, { acl: [CAROL] });
    t.notOk(await sees(MALLORY, uuid));
  });

  await t.test('until the owner adds the login again: then it is its holder’s of now', async (t) => {
    await directory([...others, { uuid: MALLORY, login: 'bob' }]);
    await alice.addImageAcl(uuid, ['bob']);
    t.ok(await sees(MALLORY, uuid));
    t.notOk(await sees(BOB, uuid));
  });

  await t.test('and adding it again when nobody holds it closes the image', async (t) => {
    await directory(others);
    t.ok((await alice.addImageAcl(uuid, ['bob'])).acl?.includes('bob'));
    t.notOk(await sees(MALLORY, uuid));
    t.notOk(await sees(BOB, uuid));
  });
});

t.test('removing a login and sharing anew looks it up anew', async (t) => {
  t.teardown(() => directory(PEOPLE));
  const uuid = await make(['bob']);
  await directory([
    { uuid: MALLORY, login: 'bob' },
    { uuid: ALICE, login: 'alice' },
  ]);
  await alice.removeImageAcl(uuid, ['bob']);
  t.notOk(await sees(BOB, uuid));
  await alice.updateImage(uuid, { acl: ['bob'] });
  t.ok(await sees(MALLORY, uuid));
  t.notOk(await sees(BOB, uuid));
});

t.test('a login that nobody held', async (t) => {
  t.afterEach(() => directory(PEOPLE));

  await t.test('opens the image when its account turns up within the lag', async (t) => {
    const uuid = await make(['dave']);
    const sharedAt = clock.now();
    t.ok(await pending(uuid));
    const before = (await operator.getTaggedImage(uuid)).etag;
    clock.ahead += (LAG - 10) * 1000;
    const account = {
      uuid: DAVE,
      login: 'dave',
      created_at: iso(sharedAt - 60_000),
      updated_at: iso(sharedAt - 30_000),
    };
    await directory([...PEOPLE, account]);
    await bindLateShares(service);
    t.ok(await sees(DAVE, uuid));
    t.same((await server.client({ account: DAVE }).getImage(uuid)).shared_as, ['dave']);
    t.equal((await operator.getTaggedImage(uuid)).etag, before, 'the owner’s tag tells nothing of it');
    clock.ahead += 20_000;
    await bindLateShares(service);
    t.notOk(await pending(uuid));
  });

  await t.test('without dates counts as one that was there long ago', async (t) => {
    const uuid = await make(['dave']);
    await directory([...PEOPLE, { uuid: DAVE, login: 'dave' }]);
    await bindLateShares(service);
    t.ok(await sees(DAVE, uuid));
  });

  await t.test('stays closed to an account that was made after the share', async (t) => {
    const uuid = await make(['dave']);
    await directory([...PEOPLE, { uuid: DAVE, login: 'dave', created_at: iso(clock.now() + 1000) }]);
    await bindLateShares(service);
    t.notOk(await sees(DAVE, uuid));
  });

  await t.test('stays closed to an account that took the login after the share', async (t) => {
    const uuid = await make(['dave']);
    const account = {
      uuid: DAVE,
      login: 'dave',
      created_at: '2020-01-01T00:00:00Z',
      updated_at: iso(clock.now() + 1000),
    };
    await directory([...PEOPLE, account]);
    await bindLateShares(service);
    t.notOk(await sees(DAVE, uuid));
  });

  await t.test('stays closed for good once the lag has passed', async (t) => {
    const uuid = await make(['dave']);
    clock.ahead += (LAG + 10) * 1000;
    await directory([...PEOPLE, { uuid: DAVE, login: 'dave', created_at: '2020-01-01T00:00:00Z' }]);
    await bindLateShares(service);
    t.notOk(await sees(DAVE, uuid));
    t.notOk(await pending(uuid), 'nobody looks any more');
    await bindLateShares(service);
    t.notOk(await sees(DAVE, uuid));
    await alice.addImageAcl(uuid, ['dave']);
    t.ok(await sees(DAVE, uuid), 'the owner may share again');
  });

  await t.test('opens nothing when it was removed in time', async (t) => {
    const uuid = await make(['dave']);
    await alice.removeImageAcl(uuid, ['dave']);
    await directory([...PEOPLE, { uuid: DAVE, login: 'dave' }]);
    await bindLateShares(service);
    t.notOk(await sees(DAVE, uuid));
  });

  await t.test('is bound beside other changes, and none is lost', async (t) => {
    const uuid = await make(['dave']);
    await directory([...PEOPLE, { uuid: DAVE, login: 'dave' }]);
    const entries = Array.from({ length: 10 }, () => randomUUID() as string);
    await Promise.all([...entries.map((entry) => alice.addImageAcl(uuid, [entry])), bindLateShares(service)]);
    await bindLateShares(service);
    t.ok(await sees(DAVE, uuid));
    t.same(new Set((await alice.getImage(uuid)).acl), new Set(['dave', ...entries]));
  });

  await t.test('of an image that is deleted meanwhile stops nothing', async (t) => {
    const deleted = await make(['dave']);
    const kept = await make(['dave']);
    await operator.deleteImage(deleted);
    await directory([...PEOPLE, { uuid: DAVE, login: 'dave' }]);
    await bindLateShares(service);
    t.ok(await sees(DAVE, kept));
    t.equal(await recordOf(server, deleted), undefined);
  });
});

t.test('while the directory is down', async (t) => {
  const uuid = await make(['bob', 'carol']);
  const path = server.accountsFile;
  await rename(path, `${path}.away`);
  clock.ahead += 60_000;
  t.teardown(() => directory(PEOPLE));

  await t.test('no login can be added', async (t) => {
    const unavailable = { status: 503, code: 'ServiceUnavailable' };
    t.match(await refusal(alice.addImageAcl(uuid, ['dave'])), unavailable);
    t.match(await refusal(alice.addImageAcl(uuid, [randomUUID(), 'dave'])), unavailable);
    t.match(await refusal(alice.addImageAcl(uuid, ['bob'])), unavailable, 'for it would have to be looked up again');
    t.match(await refusal(alice.updateImage(uuid, { acl: ['bob', 'dave'] })), unavailable);
    t.same((await alice.getImage(uuid)).acl, ['bob', 'carol'], 'and nothing is half written');
  });

  await t.test('UUIDs are added, entries removed, and lists written that bring no new login', async (t) => {
    const stranger = randomUUID();
    t.same((await alice.addImageAcl(uuid, [stranger])).acl, ['bob', 'carol', stranger]);
    t.same((await alice.updateImage(uuid, { acl: ['carol', 'bob'] })).acl, ['carol', 'bob']);
    t.same((await alice.removeImageAcl(uuid, ['carol']))?.acl, ['bob']);
    t.ok(await sees(BOB, uuid));
    t.notOk(await sees(CAROL, uuid));
  });

  await t.test('images are read and listed, without the logins of their owners', async (t) => {
    t.equal((await alice.getImage(uuid)).owner_login, undefined);
    const listed = await alice.listImages({});
    t.ok(listed.some((image) => image.uuid === uuid));
    t.ok(listed.every((image) => image.owner_login === undefined));
  });

  await t.test('the tag of an image is the same as ever', async (t) => {
    const { etag } = await alice.getTaggedImage(uuid);
    await rename(`${path}.away`, path);
    clock.ahead += 60_000;
    const { image, etag: again } = await alice.getTaggedImage(uuid);
    t.equal(image.owner_login, 'alice');
    t.equal(again, etag);
  });
});
