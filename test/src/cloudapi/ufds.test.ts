/** CloudAPI with UFDS: who signs is known by the keys that it has of the account. */
import t from 'tap';
import { asker, cloudapiInProcess, keyOf, makePeople, tritonOf } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import { ufdsFor } from '../../helpers/ufds.ts';
import { waitFor } from '../../helpers/wait.ts';

const people = makePeople();
const { alice, bob } = people;
const everybody = Object.values(people);
const sshKeys = Object.fromEntries(
  everybody.map((person) => [person.uuid, { mine: `${keyOf(person).key.publicKey.openssh} ${person.login}@x` }]),
);
const ufds = await ufdsFor(t, { sshKeys });
const server = await startInProcess(t, ufds.keys);
const { image } = await makeImage(server.client({ account: alice.uuid }));
const clock = new TestClock();
const keys = { accounts: { cacheSeconds: 60 }, ufds: ufds.keys['ufds'] };
const cloudapi = await cloudapiInProcess(t, { people: everybody, imgapi: server.url, keys, clock });
const ask = asker(t, cloudapi.url);
const date = () => new Date(clock.now());

t.test('the real client signs, shares with a login and reads', async (t) => {
  const real = await cloudapiInProcess(t, { people: everybody, imgapi: server.url, keys });
  const asAlice = await tritonOf(t, alice, real.url);
  t.match(await asAlice('image', 'get', image.uuid), { status: 0, stdout: new RegExp(image.uuid) });
  const shared = await ask(`/alice/images/${image.uuid}?action=share`, {
    ...{ method: 'POST', as: alice, json: { account: 'bob' }, date: date() },
  });
  t.equal(shared.status, 200, shared.bytes.toString());
  const asBob = await tritonOf(t, bob, real.url);
  t.match(await asBob('image', 'get', image.uuid), { status: 0, stdout: new RegExp(image.uuid) });
});

t.test('keys are those of the directory', async (t) => {
  const { json } = await ask('/alice/keys', { as: alice, date: date() });
  t.match(json, [{ name: 'mine', fingerprint: keyOf(alice).key.publicKey.fingerprints.md5 }]);
  const named = await ask('/alice', { as: alice, keyId: '/alice/keys/mine', date: date() });
  t.equal(named.status, 200, 'also by name');
  t.equal((await ask('/alice', { as: bob, keyId: '/alice/keys/mine', date: date() })).status, 401);
  const stranger = { ...bob, login: 'stranger' };
  t.equal((await ask('/stranger', { as: stranger, date: date() })).status, 401);
});

t.test('while the directory is away, those who are remembered go on, and others are told to come back', async (t) => {
  t.equal((await ask('/alice', { as: alice, date: date() })).status, 200);
  await ufds.double.takeDown();
  t.equal((await ask(`/alice/images/${image.uuid}`, { as: alice, date: date() })).status, 200);
  const carol = { ...people.carol, login: 'nobody' };
  const { status, json, headers } = await ask('/nobody/images', { as: carol, date: date() });
  t.match(
    { status, json },
    { status: 503, json: { code: 'ServiceUnavailable', message: /accounts cannot be looked up/ } },
  );
  t.match(headers['retry-after'], /^\d+$/);
  const refused = await ask(`/alice/images/${image.uuid}?action=share`, {
    ...{ method: 'POST', as: alice, json: { account: 'carol' }, date: date() },
  });
  t.equal(refused.status, 503);
  t.match(refused.headers['retry-after'], /^\d+$/, 'what IMGAPI says is passed on');
  clock.ahead += 61_000;
  t.equal((await ask('/alice', { as: alice, date: date() })).status, 503, 'until they are forgotten');
  await ufds.double.bringUp();
  await waitFor('the directory', async () => (await ask('/alice', { as: alice, date: date() })).status === 200);
});

t.test('an account that was disabled can do nothing more', async (t) => {
  const dn = `uuid=${people.carol.uuid}, ou=users, o=smartdc`;
  t.equal((await ask('/carol', { as: people.carol, date: date() })).status, 200);
  ufds.double.entries.set(dn, { ...ufds.double.entries.get(dn), disabled: ['true'] });
  clock.ahead += 61_000;
  const { status, json } = await ask('/carol', { as: people.carol, date: date() });
  t.match({ status, json }, { status: 403, json: { code: 'NotAuthorized', message: 'Account or user is disabled' } });
});

t.test('a key that was removed works no longer than it is remembered', async (t) => {
  t.equal((await ask('/bob', { as: bob, date: date() })).status, 200);
  for (const dn of ufds.double.entries.keys()) {
    if (dn.startsWith('fingerprint=') && dn.includes(bob.uuid)) ufds.double.entries.delete(dn);
  }
  clock.ahead += 61_000;
  t.equal((await ask('/bob', { as: bob, date: date() })).status, 401);
});
