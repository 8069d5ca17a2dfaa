/** Images as accounts see and change them, by way of CloudAPI. */
import t from 'tap';
import { setLimits, unsetLimits } from '#src/images/quotas/own-limits.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { type Ask, asker, cloudapiInProcess, keyOf, makePeople, type Person } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

const people = makePeople();
const server = await startInProcess(t);
const operator = server.client();
const own = server.client({ account: ALICE });
const log: Record<string, unknown>[] = [];
const cloudapi = await cloudapiInProcess(
  t,
  {
    people: Object.values(people),
    imgapi: server.url,
    keys: { datacenters: { 'test-1': 'http://here.example.com', 'test-2': 'http://there.example.com' } },
  },
  log,
);
const ask = asker(t, cloudapi.url);
const asks =
  (person: Person) =>
  (path: string, more: Ask = {}) =>
    ask(path, { as: person, ...more });
const alice = asks(people.alice);
const bob = asks(people.bob);
const carol = asks(people.carol);
const act = (who: typeof alice, id: string, action: string, json: object = {}) =>
  who(`/my/images/${id}?action=${action}`, { method: 'POST', json });

const { image: base } = await makeImage(
  operator,
  {
    ...{ name: 'base', public: true, type: 'zvol', os: 'linux', nic_driver: 'virtio', disk_driver: 'virtio' },
    ...{ cpu_type: 'host', image_size: 10, billing_tags: ['secret'], traits: { ssd: true } },
    requirements: { min_ram: 512, max_ram: 1024, brand: 'bhyve', bootrom: 'uefi', ssh_key: true },
  },
  { owner: ADMIN },
);

t.test('ping needs no account', async (t) => {
  const { status, json, headers } = await ask('/--ping');
  t.equal(status, 200);
  t.same(json, { ping: 'pong', cloudapi: { versions: ['9.0.0', '8.0.0', '7.3.0', '7.2.0', '7.1.0', '7.0.0'] } });
  t.equal(headers['triton-datacenter-name'], 'test-1');
  t.match(headers['server'], /^cloudapi\/9\.\d+\.\d+$/);
});

t.test('datacenters, account and keys', async (t) => {
  const { json, headers } = await alice('/my/datacenters');
  t.same(json, { 'test-1': 'http://here.example.com', 'test-2': 'http://there.example.com' });
  t.equal(headers['triton-datacenter-name'], 'test-1');
  const [key] = (await bob('/bob/keys')).json;
  t.match(key, { name: 'bob-key', key: /^ecdsa-sha2-nistp256 / });
  t.match(key.fingerprint, /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
  const { sha256 } = keyOf(people.bob).key.publicKey.fingerprints;
  for (const name of ['bob-key', key.fingerprint, `MD5:${key.fingerprint}`, encodeURIComponent(sha256)]) {
    t.match(await bob(`/my/keys/${name}`), { status: 200, json: key }, name);
  }
  t.match(await bob('/my/keys/nosuch'), {
    status: 404,
    json: { code: 'ResourceNotFound', message: 'nosuch does not exist' },
  });
});

t.test('an image in each version', async (t) => {
  const of = async (version: string) =>
    (await alice(`/my/images/${base.uuid}`, { headers: { 'accept-version': version } })).json;
  const oldest = {
    id: base.uuid,
    name: 'base',
    version: '1.0.0',
    os: 'linux',
    requirements: { max_memory: 1024, max_ram: 1024, min_memory: 512, min_ram: 512, brand: 'bhyve', bootrom: 'uefi' },
    type: 'virtualmachine',
    files: [{ compression: 'none', sha1: base.files[0]?.sha1, size: base.files[0]?.size }],
    image_size: 10,
    published_at: base.published_at,
  };
  t.strictSame(await of('7.0.0'), oldest);
  const managed = { ...oldest, owner: ADMIN, owner_login: 'admin', public: true, state: 'active' };
  t.strictSame(await of('~7'), managed);
  t.strictSame(await of('~7.1'), managed);
  for (const version of ['~8', '~9', '~9||~8', '~8||~7', '*']) {
    t.strictSame(await of(version), { ...managed, type: 'zvol' }, version);
  }
});

t.test('versions are asked for by any of the headers that clients know', async (t) => {
  for (const name of ['accept-version', 'api-version', 'x-api-version']) {
    const { headers } = await alice('/my/images', { headers: { [name]: '~7.2' } });
    t.equal(headers['api-version'], '7.2.0', name);
  }
  t.equal((await alice('/my/images')).headers['api-version'], '9.0.0');
  for (const version of ['~6.5', '~99', 'nonsense', '9'.repeat(300)]) {
    const { status, json } = await alice('/my/images', { headers: { 'accept-version': version } });
    t.equal(status, 400);
    t.match(json, { code: 'InvalidVersion', message: /the versions are 7\.0\.0, .*, 9\.0\.0/ });
  }
});

t.test('a list has what its filters ask for, and no docker images', async (t) => {
  const { image: mine } = await makeImage(own, { name: 'filtered', version: '2.0.0' });
  const { image: theirs } = await makeImage(server.client({ account: BOB }), { name: 'filtered' });
  const { image: docker } = await makeImage(operator, { name: 'layer', type: 'docker', os: 'linux' }, { owner: ALICE });
  await server.client({ account: BOB }).addImageAcl(theirs.uuid, ['alice']);
  const listed = async (query: string, more: Ask = {}) =>
    ((await alice(`/my/images?${query}`, more)).json as { id: string }[]).map((image) => image.id).toSorted();
  const ids = (...images: { uuid: string }[]) => images.map(({ uuid }) => uuid).toSorted();
  t.same(await listed(''), ids(base, mine, theirs));
  t.same(await listed('owner=me'), ids(mine));
  t.same(await listed(`owner=${BOB}`), ids(theirs));
  t.same(await listed('shared=true'), ids(theirs));
  t.same(await listed('shared=false'), ids(base, mine));
  t.same(await listed('name=filtered'), ids(mine, theirs));
  t.same(await listed('name=~filt'), ids(mine, theirs));
  t.same(await listed('version=2.0.0'), ids(mine));
  t.same(await listed('public=true'), ids(base));
  t.same(await listed('os=linux'), ids(base));
  t.same(await listed('state=disabled'), []);
  t.same(await listed('type=docker'), ids(docker));
  t.same(await listed('type=zvol'), ids(base));
  t.same(await listed('type=virtualmachine', { headers: { 'accept-version': '~7' } }), ids(base));
  t.same(await listed('type=smartmachine', { headers: { 'accept-version': '~7' } }), ids(mine, theirs));
  const bad = async (query: string, more?: Ask) => {
    const { status, json } = await alice(`/my/images?${query}`, more);
    return { status, code: json.code };
  };
  t.same(await bad('type=zvol', { headers: { 'accept-version': '~7' } }), { status: 409, code: 'InvalidArgument' });
  t.same(await bad('shared=perhaps'), { status: 409, code: 'InvalidArgument' });
  t.same(await listed('owner=bob'), [], 'nobody has that UUID');
  t.equal((await listed('limit=2')).length, 2, 'at most so many');
  t.same(await listed('limit=0'), ids(base, mine, theirs), '0 is no limit');
  t.same(await listed('limit=1&shared=true'), ids(theirs));
  for (const limit of ['x', '-1', '1.5', '1e3', '1000001', '1&limit=2']) {
    t.same(await bad(`limit=${limit}`), { status: 409, code: 'InvalidArgument' }, limit);
  }
  t.same(await bad('state=shiny'), { status: 422, code: 'InvalidParameter' });
});

t.test('HEAD has the headers of GET and no body', async (t) => {
  const get = await alice(`/my/images/${base.uuid}`);
  const head = await alice(`/my/images/${base.uuid}`, { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(head.bytes.length, 0);
  t.equal(head.headers['content-length'], get.headers['content-length']);
  t.equal((await alice('/my/images/nonsense', { method: 'HEAD' })).status, 404);
});

t.test('what is not there, and what is not asked for rightly', async (t) => {
  const { image } = await makeImage(server.client({ account: BOB }));
  const gone = '11111111-2222-4333-8444-555555555555';
  for (const id of ['nonsense', gone, image.uuid]) {
    for (const path of [`/my/images/${id}`, `/my/images/${id}/ancestry`, `/my/images/${id}/copy`]) {
      const { status, json } = await alice(path);
      t.match({ status, json }, { status: 404, json: { code: 'ResourceNotFound' } }, path);
    }
    for (const action of ['update', 'share', 'unshare', 'clone']) {
      const { status, json } = await act(alice, id, action, { account: 'bob', name: 'x' });
      t.match({ status, json }, { status: 404, json: { code: 'ResourceNotFound' } }, action);
    }
  }
  const code = async (path: string, more: Ask) => {
    const { status, json } = await alice(path, { method: 'POST', ...more });
    return `${status} ${json?.code}`;
  };
  const path = `/my/images/${base.uuid}`;
  t.equal(await code(path, { json: {} }), '409 MissingParameter');
  t.equal(await code(`${path}?action=paint`, { json: {} }), '409 InvalidArgument');
  t.equal(await code(`${path}?action=toString`, { json: {} }), '409 InvalidArgument');
  t.equal(await code('/my/images?action=paint', { json: {} }), '409 InvalidArgument');
  t.equal(await code(`${path}?action=share`, { json: {} }), '409 MissingParameter');
  t.equal(await code(`${path}?action=share`, { json: { account: ['bob'] } }), '409 InvalidArgument');
  t.equal(await code(`${path}?action=update`, { json: ['x'] }), '409 InvalidArgument');
  t.equal(await code(`${path}?action=update`, { json: { name: 'mine' } }), '422 NotImageOwner');
  t.equal(await code(`${path}?action=export`, { json: {} }), '409 MissingParameter');
  const plain = { 'content-type': 'text/plain' };
  t.equal(await code(`${path}?action=update`, { json: { name: 'x' }, headers: plain }), '415 UnsupportedMediaType');
  t.equal(
    await code(`${path}?action=clone`, { headers: plain }),
    '422 ImageNotShared',
    'nothing of that type was sent',
  );
  t.equal((await alice('/my/machines/7')).status, 404);
  t.equal((await alice('/my/machines')).status, 405, 'as in Triton, role tags may be set on anything of this form');
  t.equal(await code('/my/machines', { method: 'PUT', json: { 'role-tag': [] } }), '404 ResourceNotFound');
  t.equal(await code(path, { method: 'PUT', json: {} }), '200 undefined', 'nothing is to be changed');
  t.equal((await alice(`${path}/copy`, { method: 'PUT', json: {} })).status, 405);
});

t.test('an update takes what an owner may change, and nothing else', async (t) => {
  const { image } = await makeImage(own);
  const fields = {
    ...{ name: 'renamed', version: '2.0.0', description: 'd', homepage: 'https://h.example.com', tags: { a: 'b' } },
    eula: 'https://e.example.com',
  };
  const { status, json } = await act(alice, image.uuid, 'update', fields);
  t.equal(status, 200);
  t.match(json, { id: image.uuid, ...fields });
  t.equal((await act(alice, image.uuid, 'update', { description: null })).json.description, undefined);

  const whole = (await alice(`/my/images/${image.uuid}`)).json;
  t.equal((await act(alice, image.uuid, 'update', { ...whole, name: 'again' })).json.name, 'again', 'sent back whole');
  for (const refused of [
    { owner: BOB },
    { public: true },
    { owner: 'bob', name: 'stolen' },
    { owner: { toString: 1 } },
  ]) {
    const { status, json } = await act(alice, image.uuid, 'update', refused);
    t.equal(status, 409);
    t.match(json, { code: 'InvalidArgument', message: /cannot be changed/ });
  }
  await act(alice, image.uuid, 'update', {
    state: 'failed',
    requirements: { min_ram: 1 },
    eula: 'https://f.example.com',
  });
  const { owner, public: isPublic, state, requirements, name } = await own.getImage(image.uuid);
  t.same(
    { owner, isPublic, state, requirements, name },
    {
      ...{ owner: ALICE, isPublic: false, state: 'active', requirements: undefined, name: 'again' },
    },
  );
});

t.test('the list of shares is written as typed, as acl or as shared_with', async (t) => {
  const { image } = await makeImage(own);
  const typed = ['bob', CAROL, 'nosuch'];
  const written = (await act(alice, image.uuid, 'update', { acl: typed })).json;
  t.same([written.acl, written.shared_with], [typed, typed]);
  const again = (await act(alice, image.uuid, 'update', { shared_with: ['carol'] })).json;
  t.same([again.acl, again.shared_with], [['carol'], ['carol']]);
  t.equal((await act(alice, image.uuid, 'update', { shared_with: ['bob'], acl: ['carol'] })).status, 409);
  t.same((await act(alice, image.uuid, 'update', { acl: 'bob' })).json.acl, ['bob'], 'one may be sent alone');
  t.equal((await act(alice, image.uuid, 'update', { acl: [] })).json.acl, undefined);
});

t.test('sharing and unsharing', async (t) => {
  const { image } = await makeImage(own);
  const seen = async (who: typeof alice) => (await who(`/my/images/${image.uuid}`)).status;
  t.match((await act(alice, image.uuid, 'share', { account: 'bob' })).json, { acl: ['bob'], shared_with: ['bob'] });
  t.match((await act(alice, image.uuid, 'share', { account: CAROL })).json, { acl: ['bob', CAROL] });
  const sharee = (await bob(`/my/images/${image.uuid}`)).json;
  t.same(sharee.acl, [BOB]);
  t.notOk('shared_with' in sharee, 'with whom else is not for a sharee');
  t.match(sharee, { owner: ALICE, owner_login: 'alice', shared_as: ['bob'] });
  t.equal((await act(bob, image.uuid, 'share', { account: 'carol' })).json.code, 'NotImageOwner');
  t.equal((await act(bob, image.uuid, 'unshare', { account: CAROL })).json.code, 'NotImageOwner');
  t.match((await act(alice, image.uuid, 'unshare', { account: CAROL })).json, { acl: ['bob'] });
  t.same([await seen(bob), await seen(carol)], [200, 404]);
});

t.test('a sharee may leave, by its login or its UUID, however it was shared', async (t) => {
  for (const entry of ['bob', BOB]) {
    for (const named of ['bob', BOB]) {
      const { image } = await makeImage(own);
      await own.addImageAcl(image.uuid, [entry]);
      const { status, bytes } = await act(bob, image.uuid, 'unshare', { account: named });
      t.equal(status, 204, `shared with ${entry}, left as ${named}`);
      t.equal(bytes.length, 0);
      t.equal((await bob(`/my/images/${image.uuid}`)).status, 404);
      await act(alice, image.uuid, 'share', { account: 'bob' });
      t.equal((await bob(`/my/images/${image.uuid}`)).status, 200, 'until it is shared again');
    }
  }
});

t.test('sharing tells nobody which logins exist', async (t) => {
  const { image } = await makeImage(own);
  const changes: readonly [string, (name: string) => object][] = [
    ['share', (name) => ({ account: name })],
    ['update', (name) => ({ acl: [name] })],
    ['unshare', (name) => ({ account: name })],
  ];
  for (const [action, json] of changes) {
    const answers = [];
    for (const name of ['bob', 'bib', 'xxx']) {
      const { status, headers, json: body } = await act(alice, image.uuid, action, json(name));
      await act(alice, image.uuid, 'update', { acl: [] });
      const { date, 'request-id': _id, 'x-request-id': _xid, ...others } = headers;
      const { 'x-response-time': _xtime, 'response-time': _time, ...same } = others;
      const text = JSON.stringify(body).replaceAll(name, 'NAME');
      answers.push({ status, names: Object.keys(headers).toSorted(), same, text });
    }
    for (const answer of answers) t.same(answer, answers[0], action);
  }
});

t.test('who shared what with whom is in the log', async (t) => {
  const { image } = await makeImage(own);
  await act(alice, image.uuid, 'share', { account: 'bob' });
  await ask(`/alice/images/${image.uuid}?action=update`, {
    method: 'POST',
    json: { acl: ['carol', 'bob'] },
    as: people.admin,
  });
  await act(bob, image.uuid, 'unshare', { account: 'bob' });
  await act(alice, image.uuid, 'unshare', { account: 'carol' });
  t.match(
    log.filter((line) => line['audit'] === 'share' && line['image'] === image.uuid),
    [
      { change: 'share', entries: ['bob'], account: ALICE, login: 'alice', by: 'alice', remote: '127.0.0.1' },
      { change: 'acl', entries: ['carol', 'bob'], account: ALICE, by: 'admin' },
      { change: 'leave', entries: ['bob'], account: BOB, by: 'bob' },
      { change: 'unshare', entries: ['carol'], account: ALICE, by: 'alice' },
    ],
  );
  t.match(
    log.findLast((line) => line['audit'] === true),
    { route: 'UpdateImage', user: 'alice', status: 200 },
    'as is every request, with who signed it',
  );
});

t.test('ancestry begins with the image', async (t) => {
  const { image: middle } = await makeImage(own, { origin: undefined, name: 'middle' });
  const { image: top } = await makeImage(own, { origin: middle.uuid, name: 'top' });
  const { json } = await alice(`/my/images/${top.uuid}/ancestry`);
  t.match(json, [
    { id: top.uuid, origin: middle.uuid, owner_login: 'alice' },
    { id: middle.uuid, name: 'middle' },
  ]);
});

t.test('a clone', async (t) => {
  const { image } = await makeImage(own);
  await own.addImageAcl(image.uuid, ['bob']);
  const { status, json } = await act(bob, image.uuid, 'clone');
  t.equal(status, 200);
  t.match(json, { owner: BOB, owner_login: 'bob', cloned_from: { uuid: image.uuid, owner: ALICE }, state: 'active' });
});

t.test('a clone for which the account has no room is refused as IMGAPI does', async (t) => {
  const { service } = server.imgapi;
  const { image } = await makeImage(own);
  await own.addImageAcl(image.uuid, ['carol']);
  await setLimits(service, CAROL, { images: 0 });
  const { status, json } = await act(carol, image.uuid, 'clone');
  t.match({ status, json }, { status: 403, json: { code: 'QuotaExceeded', message: /may keep 0 images here/ } });
  await unsetLimits(service, CAROL);
});

t.test('of a clone only the image that was asked for is listed as active', async (t) => {
  const { image: origin } = await makeImage(own, { name: 'below' });
  const { image } = await makeImage(own, { name: 'above', origin: origin.uuid });
  await own.addImageAcl(image.uuid, ['bob']);
  const { json: clone } = await act(bob, image.uuid, 'clone');
  t.match(await bob(`/my/images/${clone.origin}`), { status: 200, json: { owner: BOB, state: 'disabled' } });
  const listed = async (query: string) =>
    ((await bob(`/my/images?owner=me${query}`)).json as { id: string }[]).map(({ id }) => id);
  t.notOk((await listed('')).includes(clone.origin));
  t.ok((await listed('')).includes(clone.id));
  t.ok((await listed('&state=disabled')).includes(clone.origin));
});

t.test('a share opens what the image builds on, by UUID and as long as it lasts', async (t) => {
  const { image: foreign } = await makeImage(server.client({ account: BOB }));
  await server.client({ account: BOB }).addImageAcl(foreign.uuid, ['alice']);
  const { image: origin } = await makeImage(own, { name: 'opened', origin: foreign.uuid });
  const { image } = await makeImage(own, { origin: origin.uuid });
  const get = async (id: string) => (await carol(`/my/images/${id}`)).status;
  t.equal(await get(origin.uuid), 404);
  await own.addImageAcl(image.uuid, ['carol']);
  t.match(await carol(`/my/images/${origin.uuid}`), { status: 200, json: { name: 'opened', owner: ALICE } });
  t.equal(await get(foreign.uuid), 404, "not somebody else's");
  const { json: chain } = await carol(`/my/images/${image.uuid}/ancestry`);
  t.same(
    chain.map(({ id }: { id: string }) => id),
    [image.uuid, origin.uuid],
  );
  const listed = (await carol('/my/images?state=all')).json as { id: string }[];
  t.notOk(
    listed.some(({ id }) => id === origin.uuid),
    'lists do not show it',
  );
  await own.removeImageAcl(image.uuid, ['carol']);
  t.equal(await get(origin.uuid), 404);
});

t.test('an export without Manta', async (t) => {
  const { image } = await makeImage(own);
  for (const ask of [
    act(alice, image.uuid, 'export', { manta_path: '/alice/stor' }),
    alice(`/my/images/${image.uuid}`, { method: 'POST', json: { action: 'export', manta_path: '/alice/stor' } }),
  ]) {
    t.match(await ask, { status: 503, json: { code: 'StorageUnsupported' } });
  }
});

t.test('an IMGAPI that is away is no fault of the client', async (t) => {
  const away = await cloudapiInProcess(t, { people: Object.values(people), imgapi: 'http://127.0.0.1:1' });
  const { status, json } = await asker(t, away.url)('/my/images', { as: people.alice });
  t.match({ status, json }, { status: 503, json: { code: 'ServiceUnavailable' } });
  t.notMatch(json.message, /127\.0\.0\.1/, "where it is is nobody's business");
});
