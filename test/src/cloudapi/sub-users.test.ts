/** Sub-users: which keys are theirs, which roles they take, and what role tags do. */
import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import t from 'tap';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import {
  asker,
  cloudapiInProcess,
  keyOf,
  makeKey,
  makePeople,
  type Person,
  type SubPerson,
  subUserOf,
  writePeople,
} from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import { waitFor } from '../../helpers/wait.ts';

const people = makePeople();
const { bob, admin } = people;
const user = (login: string): SubPerson => ({
  uuid: randomUUID(),
  login,
  keys: { [`${login}-key`]: makeKey('ed25519') },
});
const [deploy, reader, boss] = [user('deploy'), user('reader'), user('boss')];

const role = (name: string, members: readonly string[], more: object = {}) => ({
  ...{ uuid: randomUUID(), name, members, default_members: members, policies: [name] },
  ...more,
});
const readers = role('readers', ['reader', 'deploy'], { default_members: ['reader'] });
const deployers = role('deployers', ['deploy']);
const office = role('office', ['deploy'], { default_members: [] });
const named = role('named', ['deploy'], { default_members: [] });
const copiers = role('copiers', ['deploy'], { default_members: [] });
const administrator = role('administrator', ['boss'], { policies: [] });
const others = role('others', [], { policies: [] });

const alice: Person = {
  ...people.alice,
  users: [deploy, reader, boss],
  roles: [readers, deployers, office, named, copiers, administrator, others],
  policies: [
    { name: 'readers', rules: ['CAN getimage and listimages'] },
    { name: 'deployers', rules: ['CAN getimage', 'CAN cloneimage, shareimage and replaceresourceroletags'] },
    { name: 'office', rules: ['CAN listimages WHEN sourceip = 192.0.2.0/24 and time > 08:00:00 and time < 17:00:00'] },
    { name: 'named', rules: ['CAN listimages /alice/images', 'CAN getimage'] },
    { name: 'copiers', rules: ['CAN copyimagefromdc'] },
  ],
};

const server = await startInProcess(t);
const operator = server.client();
const clock = new TestClock();
const lines: Record<string, unknown>[] = [];
const options = {
  people: [alice, bob, admin, people.carol],
  imgapi: server.url,
  clock,
  keys: { trustedProxies: ['127.0.0.0/8'] },
};
const cloudapi = await cloudapiInProcess(t, options, lines);
const ask = asker(t, cloudapi.url);
const { image } = await makeImage(server.client({ account: ALICE }));
const { image: hidden } = await makeImage(server.client({ account: BOB }));
const { image: shared } = await makeImage(server.client({ account: BOB }));
await server.client({ account: BOB }).addImageAcl(shared.uuid, [ALICE]);
const path = `/my/images/${image.uuid}`;

const asDeploy = subUserOf(alice, deploy);
const asReader = subUserOf(alice, reader);
const asBoss = subUserOf(alice, boss);

const put = (resource: string, ...names: readonly string[]) =>
  ask(resource, { method: 'PUT', json: { 'role-tag': names }, as: alice });
const tagsOf = async (resource: string): Promise<string | undefined> =>
  (await ask(resource, { as: alice })).headers['role-tag'];

t.test('a sub-user is named by login or UUID, as is its account; its keys by fingerprint or name', async (t) => {
  await put(path, 'readers');
  const { md5, sha256 } = keyOf(reader).key.publicKey.fingerprints;
  for (const account of ['alice', ALICE]) {
    for (const login of ['reader', reader.uuid]) {
      for (const key of [md5, sha256, 'reader-key']) {
        const keyId = `/${account}/users/${login}/keys/${key}`;
        for (const at of ['my', 'alice', ALICE]) {
          t.equal((await ask(`/${at}/images/${image.uuid}`, { ...asReader, keyId })).status, 200, `${at} by ${keyId}`);
        }
      }
    }
  }
});

t.test('a key is that of the sub-user alone, and who there is remains unknown', async (t) => {
  const { md5 } = keyOf(reader).key.publicKey.fingerprints;
  const own = keyOf(alice).key.publicKey.fingerprints.md5;
  const cases = [
    { keyId: `/alice/keys/${md5}` },
    { keyId: `/alice/users/deploy/keys/${md5}` },
    { keyId: `/bob/users/reader/keys/${md5}` },
    { keyId: `/nobody/users/reader/keys/${md5}` },
    { keyId: `/alice/users/nobody/keys/${md5}` },
    { keyId: `/alice/users/reader/keys/${own}`, key: keyOf(alice) },
    { keyId: `/alice/users/alice/keys/${own}`, key: keyOf(alice) },
    { keyId: `/alice/users/${ALICE}/keys/${own}`, key: keyOf(alice) },
    { keyId: `/reader/keys/${md5}` },
    { keyId: `/${reader.uuid}/keys/${md5}` },
  ];
  const bodies = new Set<string>();
  for (const signed of cases) {
    const { status, json } = await ask('/my/images', { ...asReader, ...signed });
    t.equal(status, 401, signed.keyId);
    bodies.add(JSON.stringify(json));
  }
  t.equal(bodies.size, 1);
});

t.test('the path is that of its account', async (t) => {
  for (const other of ['bob', BOB, 'nobody', 'admin']) {
    t.match(await ask(`/${other}/images`, asReader), { status: 403, json: { code: 'NotAuthorized' } }, other);
  }
});

t.test('what it may not reach and what there is not are answered alike', async (t) => {
  await put('/my/images', 'readers');
  const absent = randomUUID();
  for (const action of ['', '/ancestry', '/copy']) {
    await put(path);
    const answers = await Promise.all(
      [image.uuid, absent, hidden.uuid, 'no-uuid'].map(async (id) => {
        const { status, json } = await ask(`/my/images/${id}${action}`, asReader);
        return { status, body: JSON.stringify(json).replaceAll(id, 'ID') };
      }),
    );
    for (const answer of answers) t.same(answer, answers[0], action);
    t.equal(answers[0]?.status, 403);
  }
});

t.test('what is no UUID is not found, whatever roles the account has', async (t) => {
  t.match(await ask('/my/images/no-uuid', { as: alice }), { status: 404, json: { code: 'ResourceNotFound' } });
});

t.test('a path that no resource has is answered like any that it may not reach', async (t) => {
  for (const path of ['/Images', '/x-1', `/${'x'.repeat(33)}`, `/images/${image.uuid}%2Fx`]) {
    const { status, json } = await ask(`/my${path}?role-tag=`, { ...asDeploy, method: 'PUT' });
    t.match({ path, status, json }, { path, status: 403, json: { code: 'NotAuthorized' } });
  }
});

t.test('a tag opens nothing that the account does not see', async (t) => {
  const resource = `/images/${hidden.uuid}`;
  await operator.setRoleTags(ALICE, { roles: [readers.uuid] }, { resource });
  t.match(await ask(`/my${resource}`, asReader), { status: 404, json: { code: 'ResourceNotFound' } });
  t.equal((await put(`/my${resource}`, 'readers')).status, 404);
});

t.test('it takes the roles that it has by default, or those that it names', async (t) => {
  await put(path, 'readers');
  await put('/my/images', 'readers');
  t.equal((await ask(path, asReader)).status, 200);
  t.equal((await ask(path, asDeploy)).status, 403, 'deploy has not taken it');
  t.equal((await ask(`${path}?as-role=readers`, asDeploy)).status, 200);
  t.equal((await ask(`${path}?as-role=deployers,%20readers`, asDeploy)).status, 200);
  t.equal((await ask(`${path}?as-role=deployers&as-role=readers`, asDeploy)).status, 200);
  t.equal((await ask(`${path}?as-role=*`, asDeploy)).status, 200);
  t.equal((await ask(path, { ...asDeploy, headers: { role: 'readers' } })).status, 200);
  t.equal((await ask(`${path}?as-role=`, asReader)).status, 200, 'naming none is as saying nothing');
  t.equal((await ask(`${path}?as-role=deployers`, asDeploy)).status, 403, 'only those that it names');
  const refusals = await Promise.all(
    ['others', 'nosuch', 'administrator'].map(async (name) => {
      const { status, json } = await ask(`${path}?as-role=${name}`, asReader);
      return { status, message: String(json.message).replace(name, 'ROLE') };
    }),
  );
  const message = 'You do not have permission to access /alice as role "ROLE"';
  for (const refused of refusals) t.same(refused, { status: 403, message });
  t.equal((await ask(`${path}?as-role=nosuch`, { as: alice })).status, 200, 'accounts need no role');
});

t.test('an administrator may do everything in its account, without tags, and nothing elsewhere', async (t) => {
  await put(path);
  t.equal((await ask(path, asBoss)).status, 200);
  t.equal((await ask('/my/keys', asBoss)).status, 200);
  t.equal((await ask(`${path}/manifest`, asBoss)).status, 403, 'which is for the admin alone');
  t.equal((await ask(`/my/images/${hidden.uuid}`, asBoss)).status, 404);
  t.equal((await ask('/bob/images', asBoss)).status, 403);
});

t.test('a rule that names a resource needs no tag there, and opens nothing else', async (t) => {
  await put('/my/images');
  await put(path);
  t.equal((await ask('/my/images?as-role=named', asDeploy)).status, 200);
  t.equal((await ask(`/${ALICE}/images?as-role=named`, asDeploy)).status, 200, 'however the account is written');
  t.equal((await ask(`${path}?as-role=named`, asDeploy)).status, 403);
});

t.test('a rule may ask where a request comes from and when', async (t) => {
  await put('/my/images', 'office');
  const noon = Date.UTC(2026, 10, 26, 12);
  const at = async (hours: number, forwarded?: string): Promise<number> => {
    clock.ahead = noon - 12 * 3_600_000 + hours * 3_600_000 - Date.now();
    const headers = { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) };
    const date = new Date(clock.now());
    return (await ask('/my/images?as-role=office', { ...asDeploy, headers, date })).status;
  };
  t.equal(await at(12, '192.0.2.7'), 200);
  t.equal(await at(12), 403, 'from elsewhere');
  t.equal(await at(12, '203.0.113.1'), 403);
  t.equal(await at(12, '192.0.2.7, 203.0.113.1'), 403, 'what a client says of itself is not believed');
  t.equal(await at(12, '203.0.113.1, 192.0.2.7'), 200);
  t.equal(await at(12, '192.0.2.7, 127.0.0.2'), 200, 'through two proxies');
  t.equal(await at(12, 'office'), 403);
  t.equal(await at(18, '192.0.2.7'), 403, 'too late');
  clock.ahead = 0;
});

t.test('role tags are set by name and shown with what carries them', async (t) => {
  t.match(await put(path, 'readers', 'deployers', 'readers'), {
    status: 200,
    json: { name: `/alice/images/${image.uuid}`, 'role-tag': ['readers', 'deployers'] },
  });
  t.equal(await tagsOf(path), 'readers,deployers');
  t.equal((await ask(path, asReader)).headers['role-tag'], 'readers,deployers');
  t.match(await ask(`${path}?role-tag=readers`, { method: 'PUT', as: alice }), { json: { 'role-tag': ['readers'] } });
  t.match(await ask('/my/keys', { method: 'PUT', as: alice, headers: { 'role-tag': 'readers, deployers' } }), {
    json: { name: '/alice/keys', 'role-tag': ['readers', 'deployers'] },
  });
  t.equal(await tagsOf('/my/keys'), 'readers,deployers');
  t.match(await put('/my', 'readers'), { json: { name: '/alice' } });
  t.equal(await tagsOf('/my'), 'readers');
  t.equal(await tagsOf(`${path}/ancestry`), undefined);
  await put(path);
  t.equal(await tagsOf(path), undefined);
  t.match(await put(path, 'nosuch'), {
    status: 409,
    json: { code: 'InvalidArgument', message: 'Role(s) nosuch not found' },
  });
  t.match(await put('/my/machines', 'readers'), { status: 404, json: { code: 'ResourceNotFound' } });
  await put(path, 'readers');
  const unchanged = { status: 200, json: { name: `/alice/images/${image.uuid}`, 'role-tag': ['readers'] } };
  t.match(await ask(path, { method: 'PUT', json: { phone: '1' }, as: alice }), unchanged, 'no tags: nothing changes');
  t.equal(await tagsOf(path), 'readers');
  await put(path);
  for (const wrong of [7, [7], { a: 1 }]) {
    t.match(await ask(path, { method: 'PUT', json: { 'role-tag': wrong }, as: alice }), { status: 409 });
  }
});

t.test('a sub-user sets them where a policy allows it', async (t) => {
  const tag = () => ask(path, { ...asDeploy, method: 'PUT', json: { 'role-tag': ['deployers', 'readers'] } });
  await put(path, 'readers');
  t.match(await tag(), { status: 403, json: { message: /\(replaceresourceroletags\)/ } });
  await put(path, 'deployers');
  t.equal((await tag()).status, 200);
  t.equal(await tagsOf(path), 'readers,deployers');
});

t.test('the tags of an account mean nothing to another one', async (t) => {
  t.equal((await put(`/my/images/${shared.uuid}`, 'readers')).status, 200);
  t.equal((await ask(`/my/images/${shared.uuid}`, asReader)).status, 200);
  t.equal((await ask(`/my/images/${shared.uuid}`, { as: bob })).headers['role-tag'], undefined);
});

t.test('what a sub-user makes carries the roles that it had taken, or those that it names', async (t) => {
  const at = `/my/images/${shared.uuid}?action=clone`;
  await put(`/my/images/${shared.uuid}`, 'deployers');
  const clone = await ask(at, { ...asDeploy, method: 'POST', json: {} });
  t.equal(clone.status, 200);
  t.equal(await tagsOf(`/my/images/${clone.json.id}`), 'deployers');
  t.equal((await ask(`/my/images/${clone.json.id}`, asDeploy)).status, 200);
  const other = await ask(at, { ...asDeploy, method: 'POST', json: {}, headers: { 'role-tag': 'readers' } });
  t.equal(await tagsOf(`/my/images/${other.json.id}`), 'readers');
  const own = await ask(at, { as: alice, method: 'POST', json: {} });
  t.equal(await tagsOf(`/my/images/${own.json.id}`), undefined, 'what the account makes carries none');
  const before = (await ask('/my/images', { as: alice })).json.length;
  t.match(await ask(at, { as: alice, method: 'POST', json: {}, headers: { 'role-tag': 'nosuch' } }), { status: 409 });
  t.equal((await ask('/my/images', { as: alice })).json.length, before, 'and nothing was made');
});

t.test('copying an image that is here already opens it to nobody', async (t) => {
  await put('/my/images', 'copiers');
  await put(path);
  const copy = { method: 'POST', json: { datacenter: 'elsewhere', id: image.uuid } };
  for (const action of ['copy-from-dc', 'import-from-datacenter']) {
    t.match(
      await ask(`/my/images?action=${action}&as-role=copiers`, { ...asDeploy, ...copy }),
      { status: 403 },
      action,
    );
  }
  t.equal(await tagsOf(path), undefined);
  await put(path, 'copiers');
  t.not((await ask('/my/images?action=copy-from-dc&as-role=copiers', { ...asDeploy, ...copy })).status, 403);
});

t.test('a share by a sub-user is the share of its account, and logged with its name', async (t) => {
  await put(path, 'deployers');
  t.match(await ask(`${path}?action=share`, { ...asDeploy, method: 'POST', json: { account: CAROL } }), {
    status: 200,
    json: { owner: ALICE, acl: [CAROL] },
  });
  t.match(
    lines.find(({ audit }) => audit === 'share'),
    { login: 'alice', by: 'alice/deploy', image: image.uuid },
  );
  await waitFor('its line in the log', () =>
    lines.some(({ operation, user }) => operation === 'ShareImage' && user === 'alice/deploy'),
  );
});

t.test('a role or a sub-user that was taken away ends at once', async (t) => {
  await put(path, 'readers');
  t.equal((await ask(path, asReader)).status, 200);
  const folder = dirname(cloudapi.accountsFile);
  await writePeople(folder, [{ ...alice, roles: [{ ...readers, members: [], default_members: [] }] }, bob]);
  await waitFor('the role to be taken away', async () => (await ask(path, asReader)).status === 403);
  await writePeople(folder, [{ ...alice, users: [], roles: [] }, bob]);
  await waitFor('the sub-user to be gone', async () => (await ask(path, asReader)).status === 401);
});
