import { randomBytes, randomUUID } from 'node:crypto';
import t from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { NIL_UUID } from '#lib/text/uuid.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { unactivatedRecord } from '../../helpers/records.ts';
import { fakeSource, json } from './fake-source.ts';
import { bytesOf, putRecord, recordOf, refusal, send } from './fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const other = await startInProcess(t, { datacenterName: 'other' });
const elsewhere = other.client();
const NOBODY = '00000000-1111-4222-8333-444444444444';

const manifest = (fields: object = {}) => ({
  ...MANIFEST,
  v: 2,
  uuid: randomUUID() as string,
  owner: ALICE,
  ...fields,
});

t.test('an image is imported with the UUID, date and urn that it has', async (t) => {
  const sent = manifest({ published_at: '2014-05-06T07:08:09Z', urn: `sdc:admin:x:${randomUUID()}`, tags: { a: 1 } });
  const image = await operator.adminImportImage(sent);
  t.match(image, { ...sent, state: 'unactivated', files: [], disabled: false, public: false });
  t.match(await operator.getImage(sent.uuid), sent);
});

t.test('what says something of where it came from is dropped: state, files, icon, channels', async (t) => {
  const image = await operator.adminImportImage(
    manifest({ state: 'active', files: [{ sha1: 'x' }], icon: true, channels: ['dev'] }),
  );
  t.match(image, { state: 'unactivated', files: [], icon: undefined, channels: undefined });
});

t.test('a UUID is imported once, whoever tries it at the same time', async (t) => {
  const sent = manifest();
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => operator.adminImportImage(sent)));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const it of results) {
    if (it.status === 'fulfilled') continue;
    t.match(await refusal(Promise.reject(it.reason)), { status: 409, code: 'ImageUuidAlreadyExists' });
  }
  t.match(await refusal(operator.adminImportImage({ ...sent, name: 'again' })), { code: 'ImageUuidAlreadyExists' });
  t.equal((await operator.getImage(sent.uuid)).name, MANIFEST.name);
});

t.test('an import writes over a placeholder that is being created, and keeps nothing of it', async (t) => {
  const uuid = randomUUID();
  const expires_at = '2099-01-01T00:00:00.000Z';
  const placeholder = { state: 'creating', type: 'null', os: 'null', description: 'soon', expires_at } as const;
  await putRecord(server, unactivatedRecord(uuid, BOB, { ...placeholder, rev: 7 }));
  t.equal((await operator.getImage(uuid)).state, 'creating');
  const image = await operator.adminImportImage(manifest({ uuid, name: 'made' }));
  t.match(image, { uuid, name: 'made', owner: ALICE, state: 'unactivated', description: undefined });
  const stored = await recordOf(server, uuid);
  t.match(stored, { expires_at: undefined, state: 'unactivated', rev: 8 });
  t.match(await refusal(operator.adminImportImage(manifest({ uuid }))), { code: 'ImageUuidAlreadyExists' });
});

t.test('an import does not write over an image in any other state', async (t) => {
  for (const state of ['unactivated', 'failed'] as const) {
    const uuid = randomUUID();
    await putRecord(server, unactivatedRecord(uuid, BOB, { state }));
    t.match(await refusal(operator.adminImportImage(manifest({ uuid }))), { status: 409 }, state);
  }
});

t.test('an image that is in use is not written over, whatever state its record holds', async (t) => {
  const { image } = await makeImage(operator, {}, { owner: ALICE, size: 10 });
  // As an operator of today's IMGAPI can leave it; here such an update is refused.
  await putRecord(server, { ...(await recordOf(server, image.uuid)), state: 'creating' } as ImageRecord);
  t.match(await refusal(operator.adminImportImage(manifest({ uuid: image.uuid }))), { status: 409 });
  t.equal((await operator.getImage(image.uuid)).state, 'active');
});

t.test('manifests of version 1 are upgraded', async (t) => {
  const uuid = randomUUID();
  const sent = {
    uuid,
    creator_uuid: BOB,
    vendor_uuid: BOB,
    name: 'old',
    version: '1.5.0',
    description: 'of a dataset server',
    type: 'zvol',
    os: 'linux',
    created_at: '2012-03-04T05:06Z',
    updated_at: '2013-03-04T05:06Z',
    restricted_to_uuid: ALICE,
    platform_type: 'smartos',
    cloud_name: 'sdc',
    nic_driver: 'virtio',
    disk_driver: 'virtio',
    cpu_type: 'host',
    image_size: '5120',
    disabled: 'true',
    files: [{ path: 'x.zfs.gz', sha1: 'x', size: 1, url: 'http://x' }],
  };
  t.same(await server.client({ version: '~2' }).adminImportImage(sent), {
    v: 2,
    uuid,
    owner: BOB,
    name: 'old',
    version: '1.5.0',
    state: 'unactivated',
    disabled: true,
    public: false,
    published_at: '2012-03-04T05:06:00Z',
    type: 'zvol',
    os: 'linux',
    files: [],
    acl: [ALICE],
    description: 'of a dataset server',
    nic_driver: 'virtio',
    disk_driver: 'virtio',
    cpu_type: 'host',
    image_size: 5120,
  });
});

t.test('whose an imported image is', async (t) => {
  await t.test('in dc mode who it says, and the admin’s when it is nobody’s', async (t) => {
    t.equal((await operator.adminImportImage(manifest({ owner: NIL_UUID }))).owner, ADMIN);
    t.equal((await operator.adminImportImage(manifest({ owner: BOB }))).owner, BOB);
    t.match(await refusal(operator.adminImportImage(manifest({ owner: NOBODY }))), { code: 'OwnerDoesNotExist' });
    const skipped = await operator.adminImportImage(manifest({ owner: NOBODY }), { skip_owner_check: true });
    t.equal(skipped.owner, NOBODY);
    t.match(await refusal(operator.adminImportImage(manifest({ owner: undefined }))), {
      errors: [{ field: 'owner', code: 'MissingParameter' }],
    });
  });

  for (const mode of ['public', 'private'] as const) {
    await t.test(`in ${mode} mode nobody’s`, async (t) => {
      const standalone = await startInProcess(t, { mode, authType: 'none' });
      const fields = { public: mode === 'public' };
      t.equal((await standalone.client().adminImportImage(manifest(fields))).owner, NIL_UUID);
      const ownerless = { ...manifest(fields), owner: undefined };
      t.equal((await standalone.client().adminImportImage(ownerless)).owner, NIL_UUID);
    });
  }
});

t.test('an urn is given once', async (t) => {
  const urn = `sdc:admin:twice:${randomUUID()}`;
  await operator.adminImportImage(manifest({ urn }));
  t.match(await refusal(operator.adminImportImage(manifest({ urn }))), { status: 422, fields: ['urn'] });
});

t.test('the origin has to be here, and activated', async (t) => {
  const origin = (await makeImage(operator, {}, { owner: BOB, size: 1 })).image.uuid;
  const waiting = (await operator.createImage({ ...MANIFEST, owner: BOB })).uuid;
  t.match(await refusal(operator.adminImportImage(manifest({ origin: NOBODY }))), { code: 'OriginDoesNotExist' });
  t.match(await refusal(operator.adminImportImage(manifest({ origin: waiting }))), { code: 'OriginIsNotActive' });
  t.equal((await operator.adminImportImage(manifest({ origin }))).origin, origin);
});

interface Check {
  readonly name: string;
  readonly query?: string;
  readonly body?: object;
  readonly refused: object;
}

const present = (await makeImage(operator, {}, { owner: ALICE, size: 1 })).image.uuid;

/** In the order in which they are made. */
const CHECKS: readonly Check[] = [
  { name: 'account', query: `account=${ALICE}`, refused: { status: 403, json: { code: 'OperatorOnly' } } },
  {
    name: 'uuid',
    body: { uuid: randomUUID() },
    refused: { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'uuid' }] } },
  },
  {
    name: 'skip_owner_check',
    query: 'skip_owner_check=perhaps',
    refused: { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'skip_owner_check' }] } },
  },
  { name: 'existing image', refused: { status: 409, json: { code: 'ImageUuidAlreadyExists' } } },
  { name: 'origin', body: { origin: NOBODY }, refused: { status: 422, json: { code: 'OriginDoesNotExist' } } },
  { name: 'owner', body: { owner: NOBODY }, refused: { status: 422, json: { code: 'OwnerDoesNotExist' } } },
  {
    name: 'unknown fields',
    body: { colour: 'red', activated: true },
    refused: {
      status: 422,
      json: { code: 'InvalidParameter', errors: [{ field: 'colour' }, { field: 'activated' }] },
    },
  },
  {
    name: 'validation',
    body: { name: 'no!', published_at: 'yesterday' },
    refused: {
      status: 422,
      json: { code: 'ValidationFailed', errors: [{ field: 'name' }, { field: 'published_at' }] },
    },
  },
];

for (const [index, first] of CHECKS.entries()) {
  for (const second of [undefined, ...CHECKS.slice(index + 1)]) {
    t.test(`import refuses for "${first.name}"${second ? ` before "${second.name}" is looked at` : ''}`, async (t) => {
      const both = [first, second];
      const uuid = both.some((it) => it?.name === 'existing image') ? present : randomUUID();
      const body = { ...manifest({ uuid }), ...second?.body, ...first.body };
      const query = ['action=import', ...both.flatMap((it) => it?.query ?? [])].join('&');
      const answer = await send(server.url, { method: 'POST', path: `/images/${uuid}?${query}`, body });
      t.match(answer, first.refused);
    });
  }
}

t.test('a path that is no UUID is not found, whatever the body', async (t) => {
  const answer = await send(server.url, { method: 'POST', path: '/images/x?action=import&account=x', body: {} });
  t.match(answer, { status: 404, json: { code: 'ResourceNotFound' } });
});

t.test('from a source', async (t) => {
  await t.test('the manifest is fetched, without what belongs to that server', async (t) => {
    const { image, bytes } = await makeImage(elsewhere, { public: true, acl: ['bob', BOB] }, { owner: ALICE });
    const marks = { billing_tags: ['licensed'], traits: { ssd: true } };
    Object.assign(image, await elsewhere.updateImage(image.uuid, marks));
    await elsewhere.addImageIcon(image.uuid, randomBytes(10), 'image/png');
    const imported = await operator.adminImportFromSource(image.uuid, other.url);
    const { state: _, owner_login: __, shared_as: ___, ...expected } = image;
    t.match(imported, { ...expected, state: 'unactivated', files: [], acl: [BOB] });
    t.equal(imported.icon, undefined);
    await operator.addImageFileFromSource(image.uuid, other.url);
    t.match(await operator.activateImage(image.uuid), { state: 'active', published_at: image.published_at });
    t.ok((await bytesOf((await operator.getImageFile(image.uuid)).stream)).equals(bytes));
    t.match(await refusal(operator.adminImportFromSource(image.uuid, other.url)), { status: 409 });
  });

  await t.test('the answer has the tag of what it shows', async (t) => {
    const { image } = await makeImage(elsewhere, { public: true }, { owner: ALICE, size: 1 });
    const path = `/images/${image.uuid}?action=import&source=${encodeURIComponent(other.url)}`;
    const answer = await send(server.url, { method: 'POST', path });
    t.equal(answer.status, 200);
    const shown = await send(server.url, { path: `/images/${image.uuid}`, headers: { 'accept-version': '*' } });
    t.match(answer.headers['etag'], /^[0-9a-f]{40}$/);
    t.equal(answer.headers['etag'], shown.headers['etag']);
    t.strictSame(answer.json, shown.json);
  });

  await t.test('the origin may come later', async (t) => {
    const base = (await makeImage(elsewhere, { public: true }, { owner: ALICE, size: 1 })).image.uuid;
    const child = (await makeImage(elsewhere, { origin: base, public: true }, { owner: ALICE, size: 1 })).image.uuid;
    t.equal((await operator.adminImportFromSource(child, other.url)).origin, base);
    await operator.adminImportFromSource(base, other.url);
    t.match(await refusal(operator.deleteImage(base)), { code: 'ImageHasDependentImages' });
  });

  await t.test('no placeholder is written over', async (t) => {
    const { image } = await makeImage(elsewhere, { public: true }, { owner: ALICE, size: 1 });
    await putRecord(server, unactivatedRecord(image.uuid, ALICE, { state: 'creating' }));
    t.match(await refusal(operator.adminImportFromSource(image.uuid, other.url)), { status: 409 });
  });

  await t.test('the owner is checked as of any import', async (t) => {
    const uuid = randomUUID();
    const source = await fakeSource(t, { [`/images/${uuid}`]: json(manifest({ uuid, owner: NOBODY })) });
    t.match(await refusal(operator.adminImportFromSource(uuid, source.url)), { code: 'OwnerDoesNotExist' });
    t.equal((await operator.adminImportFromSource(uuid, source.url, { skip_owner_check: true })).owner, NOBODY);
  });

  await t.test('what the source says is checked', async (t) => {
    const uuid = randomUUID();
    const wrong: readonly [unknown, object][] = [
      [null, { status: 503, code: 'RemoteSourceError' }],
      [[], { status: 503, code: 'RemoteSourceError' }],
      ['x', { status: 503, code: 'RemoteSourceError' }],
      [{}, { status: 422, fields: ['uuid'] }],
      [manifest(), { status: 422, fields: ['uuid'] }],
      [manifest({ uuid, name: {} }), { status: 422, code: 'ValidationFailed', fields: ['name'] }],
      [manifest({ uuid, owner: { toString: 1 } }), { status: 422, fields: ['owner'] }],
      [manifest({ uuid, colour: 'red' }), { status: 422, fields: ['colour'] }],
    ];
    for (const [answer, expected] of wrong) {
      const source = await fakeSource(t, { [`/images/${uuid}`]: json(answer) });
      t.match(await refusal(operator.adminImportFromSource(uuid, source.url)), expected, JSON.stringify(answer));
    }
    t.match(await refusal(operator.getImage(uuid)), { status: 404 });
  });

  await t.test('operators come first, then the flag, then the source', async (t) => {
    const source = await fakeSource(t, {});
    const path = (query: string) => `/images/${present}?action=import&source=${source.url}&${query}`;
    const post = (query: string) => send(server.url, { method: 'POST', path: path(query) });
    t.match(await post(`account=${ALICE}&skip_owner_check=x`), { status: 403, json: { code: 'OperatorOnly' } });
    t.match(await post('skip_owner_check=x'), { status: 422, json: { errors: [{ field: 'skip_owner_check' }] } });
    t.same(source.requests, []);
    t.match(await post(''), { status: 503, json: { code: 'RemoteSourceError' } });
    const twice = await send(server.url, { method: 'POST', path: path('source=http://x') });
    t.match(twice, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'source' }] } });
  });
});
