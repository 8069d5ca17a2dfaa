/** The real `triton image create`, by way of VMAPI's and CNAPI's doubles: what a machine of an account becomes. */
import t from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, tritonOf } from '../../helpers/cloudapi.ts';
import { siteInProcess } from '../../src/machines/fixture.ts';

const people = makePeople();
const { triton: platform, vm, template, server, alice: client } = await siteInProcess(t);
const { url } = await cloudapiInProcess(t, { people: Object.values(people), imgapi: server.url });
const ask = asker(t, url);
const alice = await tritonOf(t, people.alice, url);
const bob = await tritonOf(t, people.bob, url);

t.test('triton image create -w', async (t) => {
  platform.node.image = { type: 'zone-dataset', os: 'smartos', origin: template };
  const options = ['-d', 'of a machine', '-t', 'role=db', '--acl', BOB];
  const { status, stdout, stderr } = await alice('image', 'create', '-w', ...options, vm.uuid, 'mine', '1.0.0');
  t.equal(status, 0, stderr);
  t.match(stdout, /Creating image mine@1\.0\.0 \(/);
  t.match(stdout, /Created image/);
  const [, id = ''] = /Creating image mine@1\.0\.0 \((\S+)\)/.exec(stdout) ?? [];
  t.match(await client.getImage(id), {
    ...{ name: 'mine', version: '1.0.0', description: 'of a machine', tags: { role: 'db' }, acl: [BOB] },
    ...{ state: 'active', owner: ALICE, origin: template },
  });
  t.match(platform.node.orders.at(-1), { uuid: vm.uuid, incremental: true });
  t.match(await alice('image', 'get', id), { status: 0 });
  t.match(await bob('image', 'get', id), { status: 0 });
});

t.test('a machine that the account does not have, and one that there is not', async (t) => {
  for (const machine of [vm.uuid, '11111111-2222-4333-8444-555555555555']) {
    const { status, stderr } = await bob('image', 'create', machine, 'mine', '1.0.0');
    t.equal(status, 1);
    t.match(stderr, /error creating image/);
  }
  const order = { machine: vm.uuid, name: 'n', version: '1' };
  const foreign = await ask('/my/images', { method: 'POST', as: people.bob, json: order });
  const nowhere = await ask('/my/images', {
    ...{ method: 'POST', as: people.bob, json: { ...order, machine: '11111111-2222-4333-8444-555555555555' } },
  });
  t.equal(foreign.status, nowhere.status, 'nobody learns which machines there are');
  t.equal(foreign.json.code, nowhere.json.code);
});

t.test('an image that builds on no other, and one that fails', async (t) => {
  platform.node.image = { type: 'zone-dataset', os: 'smartos' };
  const json = { machine: vm.uuid, name: 'whole', version: '1', incremental: false };
  const { status, json: made } = await ask('/my/images', { method: 'POST', as: people.alice, json });
  t.equal(status, 201);
  t.match(await alice('image', 'wait', made.id), { status: 0 });
  t.match(platform.node.orders.at(-1), { uuid: vm.uuid, incremental: false });
  t.match(await ask('/my/images', { method: 'POST', as: people.alice, json: { ...json, name: '' } }), { status: 409 });
  t.match(await ask('/my/images', { method: 'POST', as: people.alice, json: { ...json, tags: 7 } }), { status: 422 });
});
