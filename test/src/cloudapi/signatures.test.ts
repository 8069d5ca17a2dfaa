/** The ways to sign that today's CloudAPI takes beside the usual one: who gets which answer. */
import t from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, keyOf, makeKey, makePeople, type Person } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { olderHeaders, presigned } from '../../helpers/signing.ts';
import { makeToken, TOKEN_KEYS } from '../../helpers/tokens.ts';

const made = makePeople();
const deploy = { uuid: '50b05e70-0000-4000-8000-000000000001', login: 'deploy', keys: { ci: makeKey('ecdsa') } };
const roles = [{ uuid: '40700000-0000-4000-8000-000000000001', name: 'all', members: ['deploy'], policies: ['list'] }];
const policies = [{ name: 'list', rules: ['CAN listimages'] }];
const off = { ...deploy, uuid: '50b05e70-0000-4000-8000-000000000002', login: 'off', disabled: true };
const alice: Person = { ...made.alice, users: [deploy, off], roles, policies };
const { bob, carol, admin } = made;
const gone: Person = { ...carol, uuid: 'd15ab1ed-0000-4000-8000-000000000001', login: 'disabled', disabled: true };
const people = [alice, bob, carol, admin, gone];
const server = await startInProcess(t);
const lines: Record<string, unknown>[] = [];
const cloudapi = await cloudapiInProcess(
  t,
  { people, imgapi: server.url, keys: { tokenKeys: TOKEN_KEYS, datacenters: { 'test-1': 'http://here.example.com' } } },
  lines,
);
const ask = asker(t, cloudapi.url);
const { host } = new URL(cloudapi.url);
const { image } = await makeImage(server.client({ account: ALICE }));

const stranger: Person = { ...alice, keys: { one: makeKey('rsa') } };
const REFUSED = { code: 'InvalidCredentials', message: 'Invalid authorization credentials supplied' };

t.test('the older form, with every kind of key', async (t) => {
  for (const as of [alice, bob, carol, admin]) {
    t.match(await ask('/my', { headers: olderHeaders({ as }) }), { status: 200, json: { login: as.login } });
  }
  for (const algorithm of ['rsa-sha1', 'rsa-sha256', 'rsa-sha384', 'rsa-sha512', 'RSA-SHA256']) {
    t.equal((await ask('/my', { headers: olderHeaders({ as: alice, algorithm }) })).status, 200, algorithm);
  }
  const posted = await ask(`/my/images/${image.uuid}?action=update`, {
    ...{ method: 'POST', json: { description: 'x' }, headers: olderHeaders({ as: alice }) },
  });
  t.match(posted, { status: 200, json: { description: 'x' } });
});

t.test('the older form tells no more than the newer', async (t) => {
  const { md5 } = keyOf(bob).key.publicKey.fingerprints;
  const signings = [
    { as: stranger },
    { as: stranger, keyId: '/nobody/keys/aa:bb' },
    { as: alice, keyId: `/bob/keys/${md5}` },
    { as: alice, keyId: `/alice/keys/${md5}` },
    { as: alice, keyId: '/alice/users/nobody/keys/ci' },
  ];
  for (const signing of signings) {
    t.match(await ask('/my', { headers: olderHeaders(signing) }), { status: 401, json: REFUSED });
  }
  for (const ms of [-400_000, 400_000]) {
    const headers = olderHeaders({ as: alice, date: new Date(Date.now() + ms) });
    t.match(await ask('/my', { headers }), { status: 400, json: { code: 'InvalidHeader', message: /clock/ } });
  }
  t.equal((await ask('/bob/images', { headers: olderHeaders({ as: alice }) })).status, 403);
  const disabled = { status: 403, json: { code: 'NotAuthorized', message: 'Account or user is disabled' } };
  t.match(await ask('/my', { headers: olderHeaders({ as: gone }) }), disabled);
  const asOff = { as: alice, key: deploy.keys.ci, keyId: '/alice/users/off/keys/ci' };
  t.match(await ask('/my', { headers: olderHeaders(asOff) }), disabled);
});

t.test('a signed URL, with every kind of key and for what it was signed', async (t) => {
  for (const as of [alice, bob, carol, admin]) {
    t.match(await ask(presigned('/my', { as }, { host })), { status: 200, json: { login: as.login } });
  }
  const listed = await ask(presigned('/my/images?name=~i&limit=1', { as: alice }, { host }));
  t.match(listed, { status: 200, json: [{ id: image.uuid }] });
  const update = presigned(`/my/images/${image.uuid}?action=update`, { as: alice }, { host, method: 'POST' });
  t.match(await ask(update, { method: 'POST', json: { description: 'y' } }), {
    status: 200,
    json: { description: 'y' },
  });
  t.match(await ask(update), { status: 401, json: REFUSED }, 'for POST, not for GET');
  t.match(await ask(`${update}&name=z`, { method: 'POST' }), { status: 401, json: REFUSED });
});

t.test('a signed URL that is not good', async (t) => {
  const past = presigned('/my', { as: alice }, { host, expires: 1 });
  t.match(await ask(past), { status: 401, json: { code: 'InvalidCredentials', message: /expired at 1970/ } });
  t.match(await ask(presigned('/my', { as: alice }, { host: 'other' })), { status: 401, json: REFUSED });
  t.match(await ask(presigned('/my', { as: stranger }, { host })), { status: 401, json: REFUSED });
  t.match(await ask('/my?keyId=/alice/keys/x'), {
    status: 401,
    json: { message: /"algorithm, expires, signature" are/ },
  });
  t.equal((await ask(presigned('/my', { as: gone }, { host }))).status, 403);
  const secrets = lines.filter((line) => /signature=[A-Za-z0-9%]{20}/.test(JSON.stringify(line)));
  t.same(secrets, [], 'the log has none that works');
});

/** As bob's application, in the name of somebody else. */
async function withToken(path: string, grant: object, { as = bob, keyId = '' } = {}) {
  const own = `/${as.login}/keys/${keyOf(as).key.publicKey.fingerprints.md5}`;
  const expires = new Date(Date.now() + 60_000).toISOString();
  const token = { account: { uuid: ALICE, login: 'alice' }, devkeyId: keyId || own, expires, ...grant };
  return ask(path, { headers: { ...olderHeaders({ as }), 'x-auth-token': makeToken(token) } });
}

const opens = (...cloudapi: string[]) => ({ permissions: { cloudapi } });
const NO_TOKEN = {
  ...{ status: 401 },
  json: { code: 'InvalidCredentials', message: 'The token provided is not authorized for this application' },
};

t.test('a token acts for the account that it names, on the paths that it opens', async (t) => {
  for (const path of ['/my/images', '/alice/images', `/alice/images/${image.uuid}`]) {
    t.equal((await withToken(path, opens('/my/*', '/alice/*'))).status, 200, path);
  }
  t.match(await withToken('/my', opens('/my')), { status: 200, json: { login: 'alice' } });
  t.match(await withToken('/my', opens('/my/*')), { status: 200 });
  t.match(lines.at(-1), { audit: true, user: 'alice', application: 'bob' });
  const { expires: _, ...unlimited } = { expires: 0, ...opens('/my') };
  t.match(await withToken('/my', { ...unlimited, expires: undefined }), { status: 200 }, 'for ever');
});

t.test('a token acts for a sub-user, within its policies', async (t) => {
  const grant = { ...opens('/my/*'), subuser: { login: 'deploy' } };
  await server.client().setRoleTags(ALICE, { roles: [roles[0]?.uuid ?? ''] }, { resource: '/images' });
  t.match(await withToken('/my/images?as-role=all', grant), { status: 200 });
  t.match(await withToken('/my/keys?as-role=all', grant), { status: 403 });
  t.match(await withToken('/my/images', { ...grant, subuser: { login: 'nobody' } }), NO_TOKEN);
  t.equal((await withToken('/my/images', { ...grant, subuser: { login: 'off' } })).status, 403);
});

t.test('a token that does not fit is refused in the same words, and the log says why', async (t) => {
  const cases: readonly [string, object, RegExp][] = [
    ['nothing', {}, /path/],
    ['another path', opens('/my/imagesx', '/my/image', '/*x'), /path/],
    ['a time that is over', { ...opens('/my/images'), expires: new Date(Date.now() - 1000).toISOString() }, /expired/],
    ['a time that is none', { ...opens('/my/images'), expires: 'soon' }, /expired/],
    ['the key of another application', { ...opens('/my/images'), devkeyId: '/carol/keys/x' }, /another key/],
    ['nobody', { ...opens('/my/images'), account: { uuid: BOB.replaceAll('b', 'c') } }, /no such account/],
    ['no account', { ...opens('/my/images'), account: null }, /no such account/],
  ];
  for (const [what, grant, why] of cases) {
    t.match(await withToken('/my/images', grant), NO_TOKEN, what);
    t.match(
      lines.findLast(({ msg }) => msg === 'a token was refused'),
      { err: { message: why } },
      what,
    );
  }
  const headers = { ...olderHeaders({ as: bob }), 'x-auth-token': 'nonsense' };
  t.match(await ask('/my/images', { headers }), NO_TOKEN);
  const alone = makeToken({ ...opens('/my/images'), account: { uuid: ALICE } });
  t.equal((await ask('/my/images', { headers: { 'x-auth-token': alone } })).status, 401, 'without a signature');
});

t.test("a token opens another account's paths only if its own account may have them", async (t) => {
  t.equal((await withToken('/bob/images', opens('/bob/*'))).status, 403);
  t.equal((await withToken('/carol/images', opens('/carol/*'))).status, 403);
  const grant = { ...opens('/carol/*'), account: { uuid: admin.uuid } };
  t.equal((await withToken('/carol/images', grant)).status, 200);
});

t.test('without keys of keyapi no token is taken', async (t) => {
  const without = await cloudapiInProcess(t, { people, imgapi: server.url });
  const token = makeToken({ ...opens('/my'), account: { uuid: ALICE } });
  const headers = { ...olderHeaders({ as: bob }), 'x-auth-token': token };
  t.match(await asker(t, without.url)('/my', { headers }), NO_TOKEN);
});
