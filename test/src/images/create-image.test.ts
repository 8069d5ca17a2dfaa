import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { ImgapiClientOptions } from '#lib/client/caller.ts';
import { isUuid } from '#lib/text/uuid.ts';
import { touchOrigin } from '#src/images/record/record-write.ts';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { refusal, send } from './fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });
const NOBODY = '00000000-1111-4222-8333-444444444444';

t.test('a new image is not activated, has a fresh UUID, and nothing that was not sent', async (t) => {
  const image = await server.client({ version: '~2' }).createImage({ ...MANIFEST, owner: ALICE });
  t.ok(isUuid(image.uuid));
  t.same(image, {
    v: 2,
    uuid: image.uuid,
    owner: ALICE,
    ...MANIFEST,
    state: 'unactivated',
    disabled: false,
    public: false,
    files: [],
  });
  t.same(await server.client({ version: '~2' }).getImage(image.uuid), image);
});

t.test('an account makes images of its own without saying so', async (t) => {
  t.equal((await alice.createImage({ ...MANIFEST })).owner, ALICE);
  t.equal((await alice.createImage({ ...MANIFEST, owner: ALICE })).owner, ALICE);
});

t.test('every field that may be sent is answered as it was sent', async (t) => {
  const fields = {
    ...MANIFEST,
    owner: BOB,
    description: 'text with "quotes", tabs\t and ünïcödé 🙂',
    homepage: 'https://example.com/home',
    eula: 'http://example.com/eula',
    disabled: true,
    public: true,
    acl: [CAROL, ALICE],
    requirements: {
      networks: [{ name: 'net0', description: 'public' }],
      brand: 'bhyve',
      ssh_key: true,
      min_ram: 256,
      max_ram: 512,
      min_platform: { '7.0': '20130308T102805Z' },
      max_platform: { '7.0': '20990308T102805Z' },
      bootrom: 'uefi',
    },
    users: [{ name: 'root' }, { name: 'admin' }],
    billing_tags: ['a', 'b'],
    traits: { ssd: true, size: ['big'], kind: 'x' },
    tags: { role: 'db', count: 3, on: false, nested: { deep: [1, null] }, long: 'x'.repeat(200) },
    generate_passwords: true,
    inherited_directories: ['/opt'],
  };
  const image = await operator.createImage(fields);
  const { files: _, ...shown } = image as unknown as Record<string, unknown>;
  t.match(shown, fields);
});

t.test('a zvol image has drivers and a size', async (t) => {
  const zvol = { nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10240 };
  t.match(await operator.createImage({ ...MANIFEST, type: 'zvol', owner: ALICE, ...zvol }), zvol);
  const refused = await refusal(operator.createImage({ ...MANIFEST, type: 'zvol', owner: ALICE }));
  t.match(refused, { status: 422, code: 'ValidationFailed', fields: Object.keys(zvol) });
  // What was taken as nothing was stored as no image, which nobody could read or delete.
  for (const [field, nothing] of [
    ['nic_driver', ''],
    ['disk_driver', ''],
    ['cpu_type', ''],
    ['nic_driver', null],
    ['image_size', 0],
  ] as const) {
    const create = alice.createImage({ ...MANIFEST, type: 'zvol', ...zvol, [field]: nothing });
    t.match(await refusal(create), { status: 422, code: 'ValidationFailed', fields: [field] });
    const uuid = randomUUID();
    const manifest = {
      ...MANIFEST,
      uuid,
      published_at: '2020-01-01T00:00:00.000Z',
      owner: ALICE,
      type: 'zvol',
      ...zvol,
    };
    const imported = operator.adminImportImage({ ...manifest, [field]: nothing });
    t.match(await refusal(imported), { status: 422, code: 'ValidationFailed', fields: [field] });
  }
});

t.test('booleans may be sent as their names', async (t) => {
  const image = await operator.createImage({ ...MANIFEST, owner: ALICE, public: 'true', disabled: 'false' });
  t.match(image, { public: true, disabled: false });
});

t.test('files are dropped without a word, as is channels where there are none', async (t) => {
  const image = await operator.createImage({ ...MANIFEST, owner: ALICE, files: [{ sha1: 'x' }], channels: ['dev'] });
  t.match(image, { state: 'unactivated', files: [], channels: undefined });
});

t.test('two images may have the same name and version', async (t) => {
  const fields = { ...MANIFEST, name: 'twice', owner: ALICE };
  t.not((await operator.createImage(fields)).uuid, (await operator.createImage(fields)).uuid);
});

t.test('the admin of the cloud may own images although the directory does not list it', async (t) => {
  const other = await startInProcess(t, { adminUuid: NOBODY });
  t.equal((await other.client().createImage({ ...MANIFEST, owner: NOBODY })).owner, NOBODY);
});

t.test('outside dc mode nobody asks who the owner is', async (t) => {
  const other = await startInProcess(t, { mode: 'private' });
  t.equal((await other.client().createImage({ ...MANIFEST, owner: NOBODY })).owner, NOBODY);
});

interface Attempt {
  readonly client?: Partial<ImgapiClientOptions>;
  readonly body?: object;
}

interface Check {
  readonly name: string;
  readonly attempt: Attempt;
  readonly refused: object;
}

/** In the order in which they are made. */
const CHECKS: readonly Check[] = [
  {
    name: 'account',
    attempt: { client: { account: 'ALICE' } },
    refused: { code: 'InvalidParameter', fields: ['account'] },
  },
  {
    name: 'owner other than account',
    attempt: { client: { account: ALICE }, body: { owner: NOBODY } },
    refused: { code: 'InvalidParameter', fields: ['owner'] },
  },
  {
    name: 'state',
    attempt: { body: { state: 'active' } },
    refused: { code: 'ValidationFailed', errors: [{ field: 'state', code: 'NotAllowed' }] },
  },
  { name: 'owner exists', attempt: { body: { owner: NOBODY } }, refused: { code: 'OwnerDoesNotExist' } },
  { name: 'origin exists', attempt: { body: { origin: NOBODY } }, refused: { code: 'OriginDoesNotExist' } },
  {
    name: 'unknown fields',
    attempt: { body: { urn: 'a:b:c:d', colour: 'red' } },
    refused: { code: 'InvalidParameter', fields: ['urn', 'colour'] },
  },
  {
    name: 'validation',
    attempt: { body: { name: 'no!' } },
    refused: { code: 'ValidationFailed', fields: ['name'] },
  },
];

for (const [index, first] of CHECKS.entries()) {
  for (const second of [undefined, ...CHECKS.slice(index + 1)]) {
    t.test(`create refuses for "${first.name}"${second ? ` before "${second.name}" is looked at` : ''}`, async (t) => {
      const client = server.client({ ...second?.attempt.client, ...first.attempt.client });
      const body = { ...MANIFEST, owner: ALICE, ...second?.attempt.body, ...first.attempt.body };
      t.match(await refusal(client.createImage(body)), { status: 422, ...first.refused });
    });
  }
}

t.test('uuid and published_at are the server’s to choose', async (t) => {
  const body = { ...MANIFEST, owner: ALICE, uuid: NOBODY, published_at: '2020-01-01T00:00:00Z', activated: true };
  t.match(await refusal(operator.createImage(body)), {
    code: 'InvalidParameter',
    fields: ['uuid', 'published_at', 'activated'],
  });
});

for (const [what, owner, code] of [
  ['missing', undefined, 'MissingParameter'],
  ['null', null, 'Invalid'],
  ['a number', 7, 'Invalid'],
  ['in upper case', ALICE.toUpperCase(), 'Invalid'],
] as const) {
  t.test(`an owner that is ${what} is named by the validation`, async (t) => {
    const refused = await refusal(operator.createImage({ ...MANIFEST, ...(owner !== undefined && { owner }) }));
    t.match(refused, { status: 422, code: 'ValidationFailed', errors: [{ field: 'owner', code }] });
  });
}

t.test('all that is wrong with a manifest is told at once, in order', async (t) => {
  const refused = await refusal(
    operator.createImage({ owner: ALICE, version: 'a b', disabled: 'yes', tags: [], homepage: 5 }),
  );
  t.match(refused, {
    code: 'ValidationFailed',
    message: 'invalid image data: name, version, disabled, type, os, homepage, tags',
    fields: ['name', 'version', 'disabled', 'type', 'os', 'homepage', 'tags'],
  });
});

t.test(
  'a manifest of version 1 is upgraded, and refused for the UUID that it brings, not for what it never said',
  async (t) => {
    const body = {
      creator_uuid: ALICE,
      uuid: randomUUID(),
      name: 'old',
      version: '1.0.0',
      type: 'zone-dataset',
      os: 'smartos',
      published_at: '2012-01-01T00:00Z',
      vendor_uuid: BOB,
    };
    t.match(await refusal(operator.createImage(body)), {
      status: 422,
      code: 'InvalidParameter',
      fields: ['uuid', 'published_at'],
    });
  },
);

t.test('an action that POST /images does not take is refused', async (t) => {
  const answer = await send(server.url, { method: 'POST', path: '/images?action=explode', body: MANIFEST });
  t.match(answer, { status: 422, json: { code: 'InvalidParameter', errors: [{ field: 'action', code: 'Invalid' }] } });
});

t.test('the origin of a new image', async (t) => {
  const { image: active } = await makeImage(operator, { name: 'base' }, { owner: ALICE });
  const { image: unactivated } = await makeImage(operator, {}, { owner: ALICE, activate: false });
  const { image: foreign } = await makeImage(operator, {}, { owner: BOB });
  const { image: published } = await makeImage(operator, { public: true }, { owner: BOB });
  const zvol = { type: 'zvol', nic_driver: 'a', disk_driver: 'b', cpu_type: 'c', image_size: 1 };
  const create = (client: typeof alice, origin: string, fields = {}) =>
    client.createImage({ ...MANIFEST, ...fields, owner: ALICE, origin });

  await t.test('may be an own one, a public one, and a disabled one', async (t) => {
    t.equal((await create(alice, active.uuid)).origin, active.uuid);
    t.equal((await create(alice, published.uuid)).origin, published.uuid);
    await operator.disableImage(published.uuid);
    t.equal((await create(alice, published.uuid)).origin, published.uuid);
  });

  await t.test('is as good as unknown when the account may not see it', async (t) => {
    const hidden = await refusal(create(alice, foreign.uuid));
    const absent = await refusal(create(alice, NOBODY));
    t.match(hidden, { status: 422, code: 'OriginDoesNotExist' });
    t.equal(hidden.message.replace(foreign.uuid, ''), absent.message.replace(NOBODY, ''));
    t.equal((await create(operator, foreign.uuid)).origin, foreign.uuid);
  });

  await t.test('is looked at once more in the batch that makes the image', async (t) => {
    const { service } = server.imgapi;
    const { image: shared } = await makeImage(operator, { acl: [ALICE] }, { owner: BOB });
    const write = await touchOrigin(service, shared.uuid, { account: ALICE });
    await operator.removeImageAcl(shared.uuid, [ALICE]);
    await t.rejects(service.store.batch([write]), { name: 'EtagConflictError' });
    await t.rejects(touchOrigin(service, shared.uuid, { account: ALICE }), { code: 'OriginDoesNotExist' });
  });

  await t.test('has to be activated', async (t) => {
    t.match(await refusal(create(alice, unactivated.uuid)), { status: 422, code: 'OriginIsNotActive' });
  });

  await t.test('has to be a zvol exactly when the image is one', async (t) => {
    t.match(await refusal(create(alice, active.uuid, zvol)), { code: 'ValidationFailed', fields: ['origin'] });
    const { image: disk } = await makeImage(operator, zvol, { owner: ALICE });
    t.match(await refusal(create(alice, disk.uuid)), { code: 'ValidationFailed', fields: ['origin'] });
    t.equal((await create(alice, disk.uuid, zvol)).origin, disk.uuid);
  });

  await t.test('must be a UUID', async (t) => {
    t.match(await refusal(create(alice, 'my-image')), { code: 'ValidationFailed', fields: ['origin'] });
  });

  await t.test('takes many children at the same moment', async (t) => {
    const children = await Promise.all(Array.from({ length: 20 }, () => create(alice, active.uuid)));
    t.equal(new Set(children.map(({ uuid }) => uuid)).size, 20);
  });
});

t.test('the ACL of a new image', async (t) => {
  const body = { ...MANIFEST, owner: ALICE, acl: ['bob', CAROL, 'nobody-yet'] };

  await t.test('takes logins from version 3 on, and opens the image to who holds them', async (t) => {
    const image = await alice.createImage(body);
    t.same(image.acl, ['bob', CAROL, 'nobody-yet']);
    t.same((await server.client({ version: '~2', account: ALICE }).getImage(image.uuid)).acl, [CAROL]);
    await operator.addImageFile(
      image.uuid,
      (async function* () {
        yield Buffer.from('x');
      })(),
      { compression: 'none' },
    );
    await operator.activateImage(image.uuid);
    t.same((await server.client({ account: BOB }).getImage(image.uuid)).shared_as, ['bob']);
  });

  await t.test('takes UUIDs only before version 3', async (t) => {
    for (const version of ['~1', '~2', '*'] as const) {
      const refused = await refusal(server.client({ version }).createImage(body));
      t.match(refused, { status: 422, code: 'ValidationFailed', fields: ['acl'] });
    }
  });

  await t.test('takes UUIDs only where there is no directory', async (t) => {
    const other = await startInProcess(t, { mode: 'public' });
    const refused = await refusal(other.client().createImage({ ...body, public: true }));
    t.match(refused, { status: 422, fields: ['acl'] });
  });

  await t.test('names the first entry that is neither', async (t) => {
    const refused = await refusal(operator.createImage({ ...body, acl: [CAROL, 'x', 'y'] }));
    t.match(refused, { status: 422, code: 'InvalidParameter', fields: ['acl'], message: /item 1 is "x"/ });
  });

  await t.test('has at most a thousand entries', async (t) => {
    const many = Array.from({ length: 1001 }, () => randomUUID());
    t.match(await refusal(operator.createImage({ ...body, acl: many })), { status: 422, fields: ['acl'] });
    t.equal((await operator.createImage({ ...body, acl: many.slice(0, 1000) })).acl?.length, 1000);
  });
});

t.test('the admin may make an image on behalf of itself', async (t) => {
  t.equal((await server.client({ account: ADMIN }).createImage({ ...MANIFEST })).owner, ADMIN);
});

t.test('text that not every store can keep is refused, wherever it is', async (t) => {
  for (const bad of ['a\u0000b', '\u0000', '\ud800', 'x\udc00']) {
    for (const [field, value] of Object.entries({
      description: bad,
      tags: { a: { b: [bad] } },
      billing_tags: [bad],
      traits: { a: bad },
      users: [{ name: bad }],
      requirements: { brand: bad },
    })) {
      const refused = await refusal(operator.createImage({ ...MANIFEST, owner: ALICE, [field]: value }));
      t.match(refused, { status: 422, code: 'ValidationFailed', errors: [{ field, code: 'Invalid' }] });
    }
    const key = await refusal(operator.createImage({ ...MANIFEST, owner: ALICE, tags: { [bad]: 1 } }));
    t.match(key, { status: 422, fields: ['tags'] });
  }
});

t.test('whoever asks again by the same key gets the same image', async (t) => {
  const idempotencyKey = randomUUID();
  const manifest = { ...MANIFEST, name: 'once' };
  const made = await alice.createImage(manifest, { idempotencyKey });
  t.same(await alice.createImage(manifest, { idempotencyKey }), made);
  t.same(await operator.createImage({ ...manifest, owner: ALICE }, { idempotencyKey }), made);

  await t.test('also of several at once', async (t) => {
    const many = { idempotencyKey: randomUUID() };
    const all = await Promise.all(Array.from({ length: 8 }, () => alice.createImage(manifest, many)));
    t.equal(new Set(all.map(({ uuid }) => uuid)).size, 1);
    t.equal((await operator.listImageEvents(all[0]?.uuid ?? '')).length, 1);
  });

  await t.test('and another one by another key, or as another owner', async (t) => {
    t.not((await alice.createImage(manifest, { idempotencyKey: randomUUID() })).uuid, made.uuid);
    t.not((await server.client({ account: BOB }).createImage(manifest, { idempotencyKey })).uuid, made.uuid);
  });

  await t.test('but not if something else is asked for, or the key is none', async (t) => {
    const other = alice.createImage({ ...manifest, version: '9' }, { idempotencyKey });
    t.match(await refusal(other), { status: 400, code: 'InvalidHeader' });
    const post = { method: 'POST', path: '/images', body: manifest };
    for (const key of ['', 'ä', 'two words', 'x'.repeat(256)]) {
      const wrong = await send(server.url, { ...post, headers: { 'idempotency-key': key } });
      t.match(wrong, { status: 400, json: { code: 'InvalidHeader' } }, key);
    }
  });

  await t.test("nor once it is somebody else's, or deleted", async (t) => {
    const given = { idempotencyKey: randomUUID() };
    const { uuid } = await alice.createImage(manifest, given);
    await alice.updateImage(uuid, { owner: BOB });
    const taken = { status: 409, code: 'ImageUuidAlreadyExists' };
    t.match(await refusal(alice.createImage(manifest, given)), taken);
    await alice.deleteImage(made.uuid);
    t.equal((await alice.createImage(manifest, { idempotencyKey })).uuid, made.uuid);
  });
});
