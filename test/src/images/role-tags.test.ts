/** Role tags: kept by account and resource, and gone with the image. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ROLE_TAGS } from '#src/images/role-tags.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from '../imgapi/fixtures/ask.ts';
import { refusal } from './fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const [ROLE, OTHER] = [randomUUID(), randomUUID()];

const set = (account: string, resource: string, ...roles: string[]) =>
  operator.setRoleTags(account, { roles }, { resource });
const get = async (account: string, resource: string) => (await operator.getRoleTags(account, { resource })).roles;

t.test('what is set is answered, to the account and resource that it was set for', async (t) => {
  t.same(await get(ALICE, '/images'), []);
  t.same(await set(ALICE, '/images', ROLE, OTHER, ROLE), { account: ALICE, resource: '/images', roles: [ROLE, OTHER] });
  t.same(await get(ALICE, '/images'), [ROLE, OTHER]);
  for (const [account, resource] of [
    [BOB, '/images'],
    [ALICE, '/'],
    [ALICE, '/keys'],
    [ALICE, `/images/${randomUUID()}`],
  ] as const) {
    t.same(await get(account, resource), [], `${account}${resource}`);
  }
  await set(ALICE, '/images', OTHER);
  t.same(await get(ALICE, '/images'), [OTHER]);
});

t.test('none at all leaves nothing behind', async (t) => {
  await set(ALICE, '/images');
  await set(ALICE, '/images');
  t.same(await get(ALICE, '/images'), []);
  t.equal(await server.imgapi.service.store.count(ROLE_TAGS), 0);
});

t.test('the tags of all accounts on an image go when it is deleted, and no others', async (t) => {
  const { image } = await makeImage(operator, {}, { owner: ALICE });
  const { image: other } = await makeImage(operator, {}, { owner: ALICE });
  await set(ALICE, `/images/${image.uuid}`, ROLE);
  await set(BOB, `/images/${image.uuid}`, ROLE);
  await set(ALICE, `/images/${other.uuid}`, ROLE);
  await operator.deleteImage(image.uuid);
  t.same(await get(ALICE, `/images/${image.uuid}`), []);
  t.same(await get(BOB, `/images/${image.uuid}`), []);
  t.same(await get(ALICE, `/images/${other.uuid}`), [ROLE]);
  await operator.deleteImage(other.uuid);
  t.equal(await server.imgapi.service.store.count(ROLE_TAGS), 0);
});

t.test('what is wrong is refused by its name', async (t) => {
  for (const resource of ['', 'images', '/images/', '/images/x', '/IMAGES', '/images/../keys', `/a/b/${ROLE}`]) {
    t.match(await refusal(get(ALICE, resource)), { status: 422, message: /resource is/ }, resource);
  }
  t.match(await refusal(get('alice', '/images')), { status: 422, message: /the account is "alice"/ });
  const many = Array.from({ length: 101 }, () => randomUUID());
  for (const roles of [['deployers'], many]) {
    t.match(await refusal(set(ALICE, '/images', ...roles)), { status: 422, message: /^roles is / });
  }
  const ask = asker(t, server.url);
  const headers = { 'accept-version': '~3' };
  const path = `/role-tags/${ALICE}`;
  t.match(await ask(`${path}?resource=/images`, { method: 'PUT', json: {}, headers }), {
    status: 422,
    json: { code: 'InvalidParameter', message: /roles is missing/ },
  });
  t.match(await ask(path, { headers }), { status: 422, json: { message: /resource is missing/ } });
});

t.test('accounts have no say in it, nor do servers without accounts have it', async (t) => {
  const alice = server.client({ account: ALICE });
  t.match(await refusal(alice.getRoleTags(ALICE, { resource: '/images' })), { status: 403, code: 'OperatorOnly' });
  t.match(await refusal(alice.setRoleTags(ALICE, { roles: [ROLE] }, { resource: '/images' })), {
    status: 403,
    code: 'OperatorOnly',
  });
  const lone = await startInProcess(t, { mode: 'private' });
  t.match(await refusal(lone.client().getRoleTags(ALICE, { resource: '/images' })), { status: 404 });
});
