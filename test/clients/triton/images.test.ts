/** The real `triton` against two datacenters, with keys of every kind. */
import t from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startCloud } from '../../helpers/cloud.ts';
import { makePeople, type Person, spawnCloudapi, type Triton, tritonOf } from '../../helpers/cloudapi.ts';
import { freePort } from '../../helpers/free-port.ts';
import { makeImage } from '../../helpers/images.ts';

const people = makePeople();
const { east, west } = await startCloud(t);
const ports = [await freePort(), await freePort()] as const;
const datacenters = {
  [east.name]: `http://127.0.0.1:${ports[0]}`,
  [west.name]: `http://127.0.0.1:${ports[1]}`,
};
for (const [site, port] of [
  [east, ports[0]],
  [west, ports[1]],
] as const) {
  await spawnCloudapi(t, {
    people: Object.values(people),
    imgapi: site.front.url,
    keys: { port, datacenterName: site.name, datacenters },
  });
}

const at = (person: Person, site: { readonly name: string }): Promise<Triton> =>
  tritonOf(t, person, datacenters[site.name] ?? '');
const alice = await at(people.alice, east);
const bob = await at(people.bob, east);
const carol = await at(people.carol, east);
const aliceWest = await at(people.alice, west);

async function json<T = Image & { readonly id: string }>(triton: Triton, ...args: string[]): Promise<T> {
  const { stdout, stderr, status } = await triton(...args);
  if (status !== 0) throw new Error(`triton ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** The flags column of `image list` by image name. */
async function flags(triton: Triton): Promise<Record<string, string>> {
  const { stdout, stderr, status } = await triton('image', 'list', '-H', '-a', '-o', 'name,flags');
  if (status !== 0) throw new Error(stderr);
  return Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)),
  );
}

const { image: base } = await makeImage(east.operator, { name: 'base-64', public: true }, { owner: ADMIN });
await east.operator.updateImage(base.uuid, { description: 'everybody builds on it' });
const { image: mine } = await makeImage(east.alice, { name: 'my-image' });
const { image: layered } = await makeImage(east.alice, { name: 'layered', origin: base.uuid });
const { image: off } = await makeImage(east.alice, { name: 'switched-off' });
await east.alice.disableImage(off.uuid);

t.test('triton datacenters', async (t) => {
  for (const triton of [alice, bob, carol]) {
    const { stdout, stderr, status } = await triton('datacenters');
    t.equal(status, 0, stderr);
    for (const [name, url] of Object.entries(datacenters)) t.match(stdout, new RegExp(`${name} +${url}`));
  }
});

t.test('triton account get, triton keys', async (t) => {
  t.match(await json(bob, 'account', 'get', '-j'), { id: BOB, login: 'bob' });
  t.match((await carol('keys', '-H')).stdout, /carol-key/);
});

t.test('triton image get by UUID, by short id and by name', async (t) => {
  const short = mine.uuid.slice(0, 8);
  for (const name of [mine.uuid, short, 'my-image', 'my-image@1.0.0']) {
    t.match(await json(alice, 'image', 'get', name), {
      id: mine.uuid,
      name: 'my-image',
      version: '1.0.0',
      owner: ALICE,
      owner_login: 'alice',
      type: 'zone-dataset',
      state: 'active',
      files: [{ sha1: mine.files[0]?.sha1 }],
    });
  }
  const nobody = await bob('image', 'get', mine.uuid);
  t.equal(nobody.status, 3, 'what is not shared is not found');
  t.match(nobody.stderr, /ResourceNotFound/);
});

t.test('triton image share with a login, with a UUID, and with a login that nobody has', async (t) => {
  for (const who of ['bob', CAROL, 'nosuchlogin']) {
    const { stdout, stderr, status } = await alice('image', 'share', 'my-image', who);
    t.equal(status, 0, stderr);
    t.match(stdout, `Shared image my-image with account ${who}`);
  }
  t.match(await json(alice, 'image', 'get', 'my-image'), {
    acl: ['bob', CAROL, 'nosuchlogin'],
    shared_with: ['bob', CAROL, 'nosuchlogin'],
  });
  const seen = await json(bob, 'image', 'get', 'my-image');
  t.same(seen.acl, [BOB], 'a sharee sees itself');
  t.match(seen, { owner: ALICE, owner_login: 'alice', shared_as: ['bob'] });
  t.same((await json(carol, 'image', 'get', mine.uuid)).acl, [CAROL]);
});

t.test('triton image list shows the flags', async (t) => {
  t.match(await flags(alice), { 'my-image': '+', layered: 'I', 'base-64': 'P', 'switched-off': 'X' });
  t.match(await flags(bob), { 'my-image': 'S', 'base-64': 'P' });
  t.match(await flags(carol), { 'my-image': 'S' });
  t.notOk('layered' in (await flags(bob)));
});

t.test('triton image clone', async (t) => {
  const clone = await json(bob, 'image', 'clone', '-j', 'my-image');
  t.match(clone, { name: 'my-image', owner: BOB, state: 'active', cloned_from: { uuid: mine.uuid, owner: ALICE } });
  const { stdout, status } = await bob('image', 'clone', mine.uuid);
  t.equal(status, 0);
  t.match(stdout, /^Cloned image \S+ to .*my-image@1\.0\.0/);
  const refused = await alice('image', 'clone', 'my-image');
  t.match(refused, { status: 1, stderr: /is not shared with account/ });
  for (const { id } of [clone, ...(await list(bob, 'name=my-image', `owner=${BOB}`)).slice(1)]) {
    t.match(await bob('image', 'delete', '-f', id), { status: 0 });
  }
});

t.test('triton image unshare', async (t) => {
  for (const who of ['bob', CAROL]) {
    t.match(await alice('image', 'unshare', 'my-image', who), {
      status: 0,
      stdout: `Unshared image my-image with account ${who}`,
    });
  }
  t.same((await json(alice, 'image', 'get', 'my-image')).acl, ['nosuchlogin']);
  t.match(await bob('image', 'get', mine.uuid), { status: 3 });
  t.match(await carol('image', 'get', mine.uuid), { status: 3 });
});

t.test('triton image update and triton image tag', async (t) => {
  t.match(await alice('image', 'update', 'my-image', 'description=what it is for', 'version=1.0.1'), { status: 0 });
  t.match(await alice('image', 'tag', 'my-image', 'role=db', 'count=3'), { status: 0 });
  t.match(await json(alice, 'image', 'get', 'my-image'), {
    description: 'what it is for',
    version: '1.0.1',
    tags: { role: 'db', count: 3 },
    acl: ['nosuchlogin'],
  });
  t.match(await bob('image', 'update', base.uuid, 'name=mine'), { status: 1, stderr: /NotImageOwner/ });
});

t.test('triton image copy and triton image wait', async (t) => {
  const { stdout, stderr, status } = await alice('image', 'copy', 'my-image', west.name);
  t.equal(status, 0, stderr);
  t.match(stdout, new RegExp(`Copied image .*${mine.uuid.slice(0, 8)}.* to datacenter ${west.name}`));
  t.match(await aliceWest('image', 'wait', mine.uuid), { status: 0, stdout: /already active/ });
  t.match(await json(aliceWest, 'image', 'get', 'my-image'), {
    id: mine.uuid,
    version: '1.0.1',
    files: [{ sha1: mine.files[0]?.sha1 }],
    copied_from: { datacenter: east.name },
  });
  const again = {
    status: 0,
    stdout: new RegExp(`Copied image .*${mine.uuid.slice(0, 8)}.* to datacenter ${west.name}`),
  };
  t.match(await alice('image', 'copy', 'my-image', west.name), again, 'it may be repeated');
  t.match(await alice('image', 'copy', 'my-image', 'nowhere'), { status: 1, stderr: /not a valid datacenter/ });
  t.match(await bob('image', 'copy', base.uuid, west.name), { status: 1, stderr: /not found in datacenter/ });
});

t.test('triton image wait waits for a copy that was just ordered', async (t) => {
  const { image } = await makeImage(east.alice, { name: 'on-its-way' }, { size: 3_000_000 });
  east.network.trouble = { kind: 'slow', bytesPerSecond: 2_000_000 };
  await west.order(image.uuid, east.name);
  const { stdout, stderr, status } = await aliceWest('image', 'wait', image.uuid);
  east.network.trouble = { kind: 'none' };
  t.equal(status, 0, stderr);
  t.match(stdout, /moved to state active|already active/);
});

t.test('triton image export', async (t) => {
  t.match(await alice('image', 'export', 'my-image', '/alice/stor/exports'), {
    status: 1,
    stderr: /export needs Manta storage, and there is none here/,
  });
});

t.test('the admin acts for an account', async (t) => {
  const admin = await at(people.admin, east);
  t.match(await json(admin, '--act-as=alice', 'image', 'get', 'my-image'), { id: mine.uuid, owner: ALICE });
  t.match(await bob('--act-as=alice', 'image', 'get', 'my-image'), { status: 1, stderr: /NotAuthorized/ });
});

t.test('triton image delete', async (t) => {
  t.match(await alice('image', 'delete', '-f', 'my-image'), {
    status: 0,
    stdout: new RegExp(`Deleted image ${mine.uuid}`),
  });
  t.match(await alice('image', 'get', mine.uuid), { status: 3 });
  t.match(await alice('image', 'delete', '-f', layered.uuid), { status: 0 });
  t.match(await json(aliceWest, 'image', 'get', mine.uuid), { id: mine.uuid }, 'the copy is an image of its own');
});

async function list(triton: Triton, ...filters: string[]): Promise<{ readonly id: string }[]> {
  const { stdout } = await triton('image', 'list', '-j', ...filters);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string });
}
