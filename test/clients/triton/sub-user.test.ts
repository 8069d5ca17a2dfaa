/** The real `triton` as a sub-user, in two datacenters; its account sets the role tags with `triton rbac`. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ALICE, CAROL } from '../../helpers/accounts.ts';
import { startCloud } from '../../helpers/cloud.ts';
import { makeKey, makePeople, type Person, type SubPerson, spawnCloudapi, tritonOf } from '../../helpers/cloudapi.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeImage } from '../../helpers/images.ts';

const people = makePeople();
const deploy: SubPerson = { uuid: randomUUID(), login: 'deploy', keys: { ci: makeKey('ecdsa') } };
const members = ['deploy'];
const alice: Person = {
  ...people.alice,
  users: [deploy],
  roles: [
    { uuid: randomUUID(), name: 'readers', members, default_members: members, policies: ['read'] },
    { uuid: randomUUID(), name: 'movers', members, policies: ['move'] },
  ],
  policies: [
    { name: 'read', rules: ['CAN getaccount, listimages and getimage', 'CAN listdatacenters'] },
    { name: 'move', rules: ['CAN getaccount and listdatacenters', 'CAN *image'] },
    { name: 'copy', rules: ['CAN importimagefromdatacenter'] },
  ],
};
const { east, west } = await startCloud(t);
const ports = [await freePort(), await freePort()] as const;
const urls = { east: `http://127.0.0.1:${ports[0]}`, west: `http://127.0.0.1:${ports[1]}` };
const datacenters = { [east.name]: urls.east, [west.name]: urls.west };
const copying = alice.roles?.map((role) => ('policies' in role ? { ...role, policies: ['copy', 'move'] } : role)) ?? [];
for (const [site, port, roles] of [
  [east, ports[0], alice.roles ?? []],
  [west, ports[1], copying],
] as const) {
  const cloud = [{ ...alice, roles }, people.bob, people.carol];
  await spawnCloudapi(t, {
    people: cloud,
    imgapi: site.front.url,
    keys: { port, datacenterName: site.name, datacenters },
  });
}
const own = await tritonOf(t, alice, urls.east);
const ownWest = await tritonOf(t, alice, urls.west);
const triton = await tritonOf(t, alice, urls.east, deploy);
const inWest = await tritonOf(t, alice, urls.west, deploy);

const { image } = await makeImage(east.alice, { name: 'my-image' });
const { image: other } = await makeImage(east.alice, { name: 'other-image' });

t.test('without a tag it may do nothing', async (t) => {
  for (const args of [['image', 'list'], ['image', 'get', image.uuid], ['datacenters']]) {
    const { status, stderr } = await triton(...args);
    t.not(status, 0, args.join(' '));
    t.match(stderr, /NotAuthorized.*You do not have permission to access \/alice/);
  }
});

t.test('its account tags what it may reach', async (t) => {
  t.match(await own('rbac', 'role-tags', '-a', 'readers', '/alice/images'), { status: 0 });
  t.match(await own('rbac', 'role-tags', '-a', 'readers,movers', '/alice/datacenters'), { status: 0 });
  t.match(await own('rbac', 'image-role-tags', '-a', 'readers,movers', 'my-image'), { status: 0 });
  const tagged = await own('rbac', 'image-role-tags', 'my-image');
  t.match(tagged, { status: 0, stdout: 'readers\nmovers\n' }, tagged.stderr);

  t.match(await own('rbac', 'image-role-tags', '-y', '-d', 'movers', 'my-image'), { status: 0 });
  t.match(await own('rbac', 'image-role-tags', 'my-image'), { status: 0, stdout: 'readers\n' });
  t.match(await own('rbac', 'image-role-tags', '-a', 'movers', 'my-image'), { status: 0 });
});

t.test('triton image list and triton image get, by name too', async (t) => {
  const { stdout, stderr, status } = await triton('image', 'list', '-H', '-o', 'name');
  t.equal(status, 0, stderr);
  t.match(stdout, 'my-image');
  for (const name of ['my-image', image.uuid]) {
    const got = await triton('image', 'get', name);
    t.equal(got.status, 0, got.stderr);
    t.match(JSON.parse(got.stdout), { id: image.uuid, owner: ALICE, owner_login: 'alice' });
  }
  t.match(await triton('image', 'get', other.uuid), { status: 1, stderr: /NotAuthorized.*\(getimage\)/ });
  t.match(await triton('datacenters'), { status: 0, stdout: new RegExp(urls.west) });
});

t.test('triton image share and triton image update, with the role that allows it', async (t) => {
  t.match(await triton('image', 'share', image.uuid, CAROL), { status: 1, stderr: /\(updateimage\)/ });
  const shared = await triton('-r', 'movers', 'image', 'share', image.uuid, CAROL);
  t.match(shared, { status: 0, stdout: /Shared image/ }, shared.stderr);
  t.match(await triton('-r', 'movers', 'image', 'update', image.uuid, 'description=by deploy'), { status: 0 });
  t.match(await east.alice.getImage(image.uuid), { acl: [CAROL], description: 'by deploy' });
  t.match(await triton('-r', 'movers', 'image', 'unshare', image.uuid, CAROL), { status: 0 });
  t.match(await triton('-r', 'nosuch', 'image', 'get', image.uuid), { stderr: /as role "nosuch"/ });
});

t.test('triton image copy needs the right to make images where the copy goes', async (t) => {
  const copy = () => triton('-r', 'readers,movers', 'image', 'copy', 'my-image', west.name);
  t.match(await copy(), { status: 1, stderr: /access \/alice\/images \(importimagefromdatacenter\)/ });
  t.match(await ownWest('rbac', 'role-tags', '-a', 'movers', '/alice/images'), { status: 0 });
  const { stdout, stderr, status } = await copy();
  t.equal(status, 0, stderr);
  t.match(stdout, /Copied image/);
  t.match((await ownWest('rbac', 'image-role-tags', image.uuid)).stdout, 'movers');
  const got = await inWest('-r', 'movers', 'image', 'get', image.uuid);
  t.match(JSON.parse(got.stdout), { id: image.uuid, owner: ALICE, copied_from: { datacenter: east.name } });
});

t.test('a sub-user acts for its own account alone', async (t) => {
  t.match(await triton('--act-as=bob', 'image', 'list'), { status: 1, stderr: /NotAuthorized/ });
});

t.test('triton image delete', async (t) => {
  t.match(await triton('image', 'delete', '-f', image.uuid), { status: 1, stderr: /\(deleteimage\)/ });
  t.match(await triton('-r', 'movers', 'image', 'delete', '-f', image.uuid), { status: 0 });
});
