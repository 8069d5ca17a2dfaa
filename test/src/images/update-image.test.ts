import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { MANIFEST, makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { recordOf, refusal, send } from './fixture.ts';

const server = await startInProcess(t);
const operator = server.client();
const alice = server.client({ account: ALICE });
const bob = server.client({ account: BOB });
const JSON_BODY = { 'content-type': 'application/json' };
const NOBODY = '00000000-1111-4222-8333-444444444444';
const ZVOL = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 100 };

const make = async (fields: object = {}, activate = true) =>
  (await makeImage(operator, fields, { owner: ALICE, size: 10, activate })).image;
const fieldOf = (image: Image, field: string) => (image as unknown as Record<string, unknown>)[field];

interface Row {
  readonly value: unknown;
  /** What the image must be like. */
  readonly image?: object;
  /** Without it the image is none. */
  readonly required?: true;
  readonly operatorsOnly?: true;
}

const MUTABLE: Readonly<Record<string, Row>> = {
  name: { value: 'another name/1_2', required: true },
  version: { value: '2.0+build', required: true },
  os: { value: 'linux', required: true },
  description: { value: 'longer than before' },
  homepage: { value: 'https://example.com/new' },
  eula: { value: 'https://example.com/eula' },
  acl: { value: [BOB, 'carol'] },
  requirements: { value: { min_ram: 128, brand: 'joyent' } },
  users: { value: [{ name: 'root' }] },
  tags: { value: { a: 1, b: { c: true } } },
  generate_passwords: { value: true },
  inherited_directories: { value: ['/data'] },
  nic_driver: { value: 'ixgbe', image: ZVOL, required: true },
  disk_driver: { value: 'scsi', image: ZVOL, required: true },
  cpu_type: { value: 'qemu64', image: ZVOL, required: true },
  image_size: { value: 4096, image: ZVOL, required: true },
  billing_tags: { value: ['x', 'y'], operatorsOnly: true },
  traits: { value: { ssd: true }, operatorsOnly: true },
};

for (const [field, { value, image: like = {}, required, operatorsOnly }] of Object.entries(MUTABLE)) {
  t.test(`${field} can be changed${operatorsOnly ? ' by operators' : ''}, also on an active image`, async (t) => {
    const image = await make(like);
    const client = operatorsOnly ? operator : alice;
    const changed = await client.updateImage(image.uuid, { [field]: value });
    t.same(fieldOf(changed, field), value);
    t.same(fieldOf(await operator.getImage(image.uuid), field), value);
    const others = (it: Image) => Object.entries(it).filter(([key]) => key !== field);
    t.same(others(changed), others(image), 'all else is as it was');
    if (required) {
      const refused = await refusal(client.updateImage(image.uuid, { [field]: null }));
      t.match(refused, { status: 422, code: 'ValidationFailed', errors: [{ field, code: 'MissingParameter' }] });
      return;
    }
    t.same(fieldOf(await client.updateImage(image.uuid, { [field]: null }), field), undefined, 'null removes it');
    const again = await client.updateImage(image.uuid, { [field]: null });
    t.same(fieldOf(again, field), undefined, 'also when it is not there');
  });
}

for (const field of ['description', 'homepage', 'eula']) {
  t.test(`an empty ${field} is none`, async (t) => {
    const image = await make({ [field]: 'https://example.com' });
    t.equal(fieldOf(await alice.updateImage(image.uuid, { [field]: '' }), field), undefined);
  });
}

t.test('several fields are changed at once', async (t) => {
  const image = await make({ description: 'old', tags: { a: 1 } });
  const changed = await alice.updateImage(image.uuid, {
    name: 'new',
    description: null,
    tags: { b: 2 },
    public: 'true',
  });
  t.match(changed, { name: 'new', description: undefined, tags: { b: 2 }, public: true });
  t.same(changed.tags, { b: 2 }, 'tags are replaced, not merged');
});

t.test('a published image is seen by others, until it is withdrawn', async (t) => {
  const image = await make();
  t.match(await refusal(bob.getImage(image.uuid)), { status: 404 });
  await alice.updateImage(image.uuid, { public: true });
  t.equal((await bob.getImage(image.uuid)).uuid, image.uuid);
  t.match(await refusal(bob.updateImage(image.uuid, { name: 'mine' })), { status: 422, code: 'NotImageOwner' });
  await alice.updateImage(image.uuid, { public: false });
  t.match(await refusal(bob.updateImage(image.uuid, { name: 'mine' })), { status: 404 });
});

t.test('images are found by their new tags, and not by the old ones', async (t) => {
  const image = await make({ tags: { updated: 'no' } });
  await alice.updateImage(image.uuid, { tags: { updated: 'yes' } });
  const found = async (value: string) =>
    (await operator.listImages({ tags: { updated: value } })).map(({ uuid }) => uuid);
  t.same(await found('yes'), [image.uuid]);
  t.same(await found('no'), []);
});

const FOREVER = ['v', 'urn', 'published_at', 'type', 'disabled', 'activated', 'icon', 'expires_at', 'tagsObj', 'rev'];
const INTERNAL = ['shares', 'grants', 'left', 'copy', 'copied_from', 'cloned_from', 'intent', 'intent_lease', 'colour'];
for (const field of [...FOREVER, ...INTERNAL, '__proto__', 'constructor', 'toString']) {
  t.test(`${field} cannot be changed, not even by operators`, async (t) => {
    const image = await make();
    const before = await recordOf(server, image.uuid);
    const body = `{"${field}": ["x"], "description": "y"}`;
    for (const query of ['', `&account=${ALICE}`]) {
      const path = `/images/${image.uuid}?action=update${query}`;
      const headers = { 'content-type': 'application/json' };
      const answer = await send(server.url, { method: 'POST', path, body, headers });
      t.match(answer, { status: 422, json: { code: 'ValidationFailed', errors: [{ field, code: 'NotAllowed' }] } });
    }
    t.same(await recordOf(server, image.uuid), before);
  });
}

t.test('what only operators change', async (t) => {
  const image = await make({}, false);
  const changes = {
    state: 'failed',
    error: { message: 'x' },
    billing_tags: ['x'],
    traits: { a: true },
    files: [{ digest: 'x' }],
    origin: NOBODY,
    uuid: image.uuid,
  };
  const refused = await refusal(alice.updateImage(image.uuid, changes));
  t.match(refused, { status: 422, code: 'ValidationFailed', fields: Object.keys(changes) });
  t.ok(refused.errors.every(({ code }) => code === 'NotAllowed'));
  const { origin: _, ...allowed } = changes;
  t.match(await operator.updateImage(image.uuid, allowed), {
    state: 'failed',
    error: { message: 'x' },
    billing_tags: ['x'],
    traits: { a: true },
    uuid: image.uuid,
  });
});

t.test('what nobody changes once the image is activated', async (t) => {
  const image = await make();
  const changes = { uuid: image.uuid, origin: NOBODY, files: [{ digest: 'x' }] };
  const refused = await refusal(operator.updateImage(image.uuid, changes));
  t.match(refused, { code: 'ValidationFailed', fields: ['uuid', 'origin', 'files'] });
});

t.test('of a file only the digests can be written', async (t) => {
  const image = await make({}, false);
  const [file] = image.files;
  const digests = { digest: 'sha256:abc', uncompressedDigest: 'sha256:def' };
  await operator.updateImage(image.uuid, { files: [{ ...digests, sha1: file?.sha1, size: file?.size }] });
  t.match((await recordOf(server, image.uuid))?.files, [{ ...digests, sha1: file?.sha1, size: 10, stor: 'local' }]);
  for (const files of [[{ sha1: '0'.repeat(40) }], [{ stor: 'tape' }], [{ digest: 'x', colour: 'red' }]]) {
    t.match(await refusal(operator.updateImage(image.uuid, { files })), {
      errors: [{ field: 'files', code: 'NotAllowed' }],
    });
  }
  for (const files of [[], [1], [{}, {}], 'x', null, {}]) {
    const refused = await refusal(operator.updateImage(image.uuid, { files }));
    t.match(refused, { status: 422, fields: ['files'] }, JSON.stringify(files));
  }
  const { uuid } = await operator.createImage({ ...MANIFEST, owner: ALICE });
  t.match(await refusal(operator.updateImage(uuid, { files: [{ digest: 'x' }] })), { fields: ['files'] });
});

for (const [what, body] of [
  ['nothing', undefined],
  ['null', 'null'],
  ['a list', '[]'],
  ['a text', '"name"'],
  ['a number', '7'],
] as const) {
  t.test(`an update with ${what} for a body is refused`, async (t) => {
    const image = await make();
    const answer = await send(server.url, {
      method: 'POST',
      path: `/images/${image.uuid}?action=update`,
      headers: { 'content-type': 'application/json' },
      body,
    });
    t.match(answer, {
      status: 422,
      json: { code: 'ValidationFailed', errors: [{ field: 'body', code: 'MissingParameter' }] },
    });
  });
}

t.test('an update that names no field is refused', async (t) => {
  const image = await make();
  const refused = await refusal(operator.updateImage(image.uuid, {}));
  t.match(refused, { status: 422, code: 'ValidationFailed' });
  t.same(refused.errors, []);
});

t.test('the whole image is validated as it would be afterwards', async (t) => {
  const image = await make({ requirements: { brand: 'bhyve', bootrom: 'uefi' } });
  const disk = await make(ZVOL);
  const rows: readonly [string, Record<string, unknown>, readonly string[]][] = [
    [image.uuid, { name: 'no!', version: '', tags: [], homepage: 'ftp://x' }, ['name', 'version', 'homepage', 'tags']],
    [image.uuid, { requirements: { bootrom: 'uefi' } }, ['requirements.bootrom']],
    [image.uuid, { image_size: 10 }, ['image_size']],
    [image.uuid, { public: 'perhaps' }, ['public']],
    [image.uuid, { owner: null }, ['owner']],
    [image.uuid, { owner: 'alice' }, ['owner']],
    [image.uuid, { channels: ['dev'] }, ['channels']],
    [disk.uuid, { image_size: 0 }, ['image_size']],
    [disk.uuid, { inherited_directories: ['/x'] }, ['inherited_directories']],
  ];
  for (const [uuid, changes, fields] of rows) {
    const before = await recordOf(server, uuid);
    const refused = await refusal(operator.updateImage(uuid, changes));
    t.match(refused, { status: 422, code: 'ValidationFailed', fields }, JSON.stringify(changes));
    t.same(await recordOf(server, uuid), before);
  }
});

t.test('what is not allowed is told before what is invalid, and that before an owner that is nobody', async (t) => {
  const image = await make();
  const all = { type: 'zvol', name: 'no!', owner: NOBODY };
  t.match(await refusal(operator.updateImage(image.uuid, all)), { fields: ['type'] });
  const { type: _, ...some } = all;
  t.match(await refusal(operator.updateImage(image.uuid, some)), { code: 'ValidationFailed', fields: ['name'] });
  t.match(await refusal(operator.updateImage(image.uuid, { owner: NOBODY })), { code: 'OwnerDoesNotExist' });
  const condition = operator.updateImage(image.uuid, all, { ifMatch: 'another' });
  t.match(await refusal(condition), { status: 412, code: 'PreconditionFailed' });
});

t.test('the origin of an image that is not activated', async (t) => {
  const base = await make();
  const image = await make({}, false);
  t.equal((await operator.updateImage(image.uuid, { origin: base.uuid })).origin, base.uuid);
  t.match(await refusal(operator.deleteImage(base.uuid)), { code: 'ImageHasDependentImages' });
  t.match(await refusal(operator.updateImage(image.uuid, { origin: NOBODY })), { code: 'OriginDoesNotExist' });
  t.match(await refusal(operator.updateImage(image.uuid, { origin: image.uuid })), { fields: ['origin'] });
  t.match(await refusal(operator.updateImage(image.uuid, { origin: 'x' })), { fields: ['origin'] });
  t.equal((await operator.updateImage(image.uuid, { origin: null })).origin, undefined);
  await operator.deleteImage(base.uuid);
});

t.test('a UUID is one, and stays what it is once the image is activated', async (t) => {
  const image = await make({}, false);
  const active = await make();
  t.match(await refusal(operator.updateImage(active.uuid, { uuid: randomUUID() })), { status: 422, fields: ['uuid'] });
  for (const uuid of [null, 7, '', 'x', randomUUID().toUpperCase()]) {
    t.match(await refusal(operator.updateImage(image.uuid, { uuid })), { status: 422, fields: ['uuid'] });
  }
});

t.test('a state that there is not is refused, and so is the one of the service itself', async (t) => {
  const image = await make({}, false);
  for (const state of ['deleting', 'gone', null, 7, '']) {
    t.match(await refusal(operator.updateImage(image.uuid, { state })), { status: 422, fields: ['state'] });
  }
});

t.test('an operator may say that an active image failed, and take it back', async (t) => {
  const image = await make({ public: true, name: 'one-that-fails' });
  const error = { message: 'no disk', code: 'PrepareImageError' };
  for (const version of ['~1', '~2', '~3'] as const) {
    const client = server.client({ version });
    t.match(await client.updateImage(image.uuid, { state: 'failed', error }), {
      state: 'failed',
      error,
      disabled: false,
    });
    t.match(await client.getImage(image.uuid), { state: 'failed', error });
    t.match(await client.listImages({ state: 'failed', name: 'one-that-fails' }), [
      { uuid: image.uuid, state: 'failed' },
    ]);
    t.match(await alice.getImage(image.uuid), { state: 'failed', error });
    const back = await client.updateImage(image.uuid, { state: 'active', error: null });
    t.match(back, { state: 'active', published_at: image.published_at });
    t.equal(back.error, undefined);
  }
  await operator.updateImage(image.uuid, { state: 'failed', error });
  t.match(await operator.disableImage(image.uuid), { state: 'disabled' });
  t.match(await operator.enableImage(image.uuid), { state: 'active' });
});

t.test('a state or an error that would not be shown is refused, and nothing is changed', async (t) => {
  const [active, waiting, disabled] = [await make(), await make({}, false), await make()];
  await operator.disableImage(disabled.uuid);
  for (const [image, changes, field] of [
    [active, { state: 'creating' }, 'state'],
    [active, { state: 'unactivated' }, 'state'],
    [active, { state: 'disabled', name: 'other' }, 'state'],
    [active, { error: { message: 'x' } }, 'error'],
    [active, { state: 'active', error: { message: 'x' } }, 'error'],
    [waiting, { state: 'active' }, 'state'],
    [waiting, { state: 'disabled' }, 'state'],
    [waiting, { error: { message: 'x' } }, 'error'],
    [disabled, { state: 'active' }, 'state'],
    [disabled, { state: 'unactivated' }, 'state'],
  ] as const) {
    const before = await recordOf(server, image.uuid);
    t.match(await refusal(operator.updateImage(image.uuid, changes)), {
      status: 422,
      code: 'ValidationFailed',
      errors: [{ field, code: 'NotAllowed' }],
    });
    t.same(await recordOf(server, image.uuid), before);
  }
  for (const [image, state] of [
    [active, 'active'],
    [waiting, 'unactivated'],
    [waiting, 'creating'],
    [waiting, 'failed'],
    [waiting, 'unactivated'],
    [disabled, 'disabled'],
  ] as const) {
    t.match(await operator.updateImage(image.uuid, { state }), { state });
  }
});

t.test('of many updates under the same condition exactly one wins', async (t) => {
  const image = await make();
  const { etag = '' } = await operator.getTaggedImage(image.uuid);
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, n) => operator.updateImage(image.uuid, { description: `${n}` }, { ifMatch: etag })),
  );
  const won = results.flatMap((it) => (it.status === 'fulfilled' ? [it.value.description] : []));
  t.equal(won.length, 1);
  t.equal((await operator.getImage(image.uuid)).description, won[0]);
  for (const it of results) {
    if (it.status === 'rejected') t.match(await refusal(Promise.reject(it.reason)), { status: 412 });
  }
});

t.test('concurrent updates of different fields lose nothing', async (t) => {
  const image = await make();
  const changes: Record<string, unknown> = {
    name: 'n',
    version: '9',
    description: 'd',
    homepage: 'https://h',
    eula: 'https://e',
    os: 'bsd',
    users: [{ name: 'u' }],
    tags: { t: 1 },
    traits: { a: true },
    billing_tags: ['b'],
    generate_passwords: true,
    requirements: { brand: 'b' },
    inherited_directories: ['/i'],
    public: true,
  };
  await Promise.all([
    ...Object.entries(changes).map(([field, value]) => operator.updateImage(image.uuid, { [field]: value })),
    operator.disableImage(image.uuid),
    operator.addImageAcl(image.uuid, [BOB]),
    operator.addImageIcon(image.uuid, Buffer.from('x'), 'image/png'),
  ]);
  t.match(await operator.getImage(image.uuid), { ...changes, state: 'disabled', acl: [BOB], icon: true });
});

t.test('an answer carries the tag of the image as it is now', async (t) => {
  const image = await make();
  const answer = await send(server.url, {
    method: 'POST',
    path: `/images/${image.uuid}?action=update`,
    body: { description: 'x' },
  });
  const { etag } = await server.client({ version: '~1' }).getTaggedImage(image.uuid);
  t.equal(answer.headers.etag, etag);
});

t.test('what one account names its tags changes no name of the tags of another', async (t) => {
  const names = ['caf\\', 'café', 'caf"', 'caf\n'];
  const tagged = await Promise.all(names.map((name) => make({ tags: { place: 1, [name]: 2 } })));
  const escaped = JSON.stringify({ tags: { place: 1, café: 3 } }).replace('é', '\\u00e9');
  const uuid = tagged[1]?.uuid ?? '';
  await send(server.url, { method: 'POST', path: `/images/${uuid}?action=update`, headers: JSON_BODY, body: escaped });
  // Another process knows only what is stored.
  const other = (await startInProcess(t, {}, { dataDir: server.dataDir })).client();
  for (const client of [operator, other]) {
    const read = await Promise.all(tagged.map((image) => client.getImage(image.uuid)));
    t.strictSame(
      read.map(({ tags }) => Object.keys(tags ?? {})),
      names.map((name) => ['place', name]),
    );
  }
});
