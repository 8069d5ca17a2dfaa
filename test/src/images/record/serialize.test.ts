import { createHash } from 'node:crypto';
import { test } from 'tap';
import { leave, recordWithEntries } from '#lib/manifest/acl.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import {
  type ImageView,
  imageEtag,
  renderImage,
  renderImageList,
  serializeFull,
  serializeImage,
} from '#src/images/record/serialize.ts';

const OWNER = '930896af-bf8c-48d4-885c-6573a94b1853';
const BOB = 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const CAROL = 'c6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const DAVE = 'd6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const AT = '2026-01-01T00:00:00.000Z';

const FULL: ImageView = { version: 3, mode: 'dc', viewer: 'full' };
const viewOf = (version: 1 | 2 | 3, account?: string): ImageView => ({
  version,
  mode: 'dc',
  viewer: account ? { account } : 'full',
});

const BARE: ImageRecord = {
  v: 2,
  uuid: '1f9b7958-289e-4ea3-8f88-5486a40d6823',
  owner: OWNER,
  name: 'base',
  version: '1.0',
  state: 'unactivated',
  activated: false,
  disabled: false,
  public: false,
  type: 'zone-dataset',
  os: 'smartos',
};

/** Every field that a record can have, in an order unlike the serialized one. */
const RICH: ImageRecord = recordWithEntries(
  {
    channels: ['dev'],
    traits: { ssd: true },
    billing_tags: ['xxl'],
    tags: ['role=db'],
    tagsObj: { role: 'db' },
    image_size: 10240,
    cpu_type: 'host',
    disk_driver: 'virtio',
    nic_driver: 'virtio',
    inherited_directories: ['/opt'],
    generate_passwords: true,
    users: [{ name: 'root' }],
    requirements: { min_ram: 256 },
    origin: CAROL,
    eula: 'http://example.com/eula',
    homepage: 'http://example.com',
    description: 'Base.',
    urn: 'sdc:sdc:base:1.0',
    icon: { sha1: 'i', size: 1, contentType: 'image/png', contentMD5: 'm', mtime: AT, stor: 'local' },
    error: { message: 'no' },
    expires_at: AT,
    rev: 7,
    copied_from: { datacenter: 'us-sw-1', at: AT },
    cloned_from: { uuid: DAVE, owner: DAVE },
    ...BARE,
    state: 'active',
    activated: true,
    published_at: '2014-01-01T12:00:00Z',
    files: [
      {
        sha1: 's',
        size: 5,
        contentMD5: 'm',
        sha256: 'h',
        mtime: AT,
        stor: 'manta',
        compression: 'gzip',
        dataset_guid: '123',
        digest: 'd',
        uncompressedDigest: 'u',
      },
    ],
  },
  [{ entry: 'bob', account: BOB, shared_at: AT }, { entry: CAROL }, { entry: 'nobody', shared_at: AT }],
);

const VERSION_2_KEYS = [
  'v',
  'uuid',
  'owner',
  'name',
  'version',
  'state',
  'disabled',
  'public',
  'published_at',
  'type',
  'os',
  'files',
  'acl',
  'description',
  'homepage',
  'eula',
  'icon',
  'urn',
  'requirements',
  'users',
  'generate_passwords',
  'inherited_directories',
  'origin',
  'nic_driver',
  'disk_driver',
  'cpu_type',
  'image_size',
  'tags',
  'billing_tags',
  'traits',
  'channels',
];

test('the keys stand in a fixed order, and what came with version 3 stands last', (t) => {
  const keys = (view: ImageView) => Object.keys(serializeImage(RICH, view));
  const VERSION_1_KEYS = VERSION_2_KEYS.filter((key) => key !== 'channels');
  t.strictSame(keys(viewOf(1)), VERSION_1_KEYS);
  t.strictSame(keys(viewOf(2)), VERSION_2_KEYS);
  t.strictSame(keys({ ...FULL, ownerLogin: 'alice' }), [
    ...VERSION_2_KEYS,
    'copied_from',
    'cloned_from',
    'owner_login',
  ]);
  t.strictSame(keys(viewOf(3, BOB)), [...VERSION_2_KEYS, 'shared_as']);
  t.end();
});

test('versions 1 and 2 never show what came with version 3', (t) => {
  for (const version of [1, 2] as const) {
    for (const viewer of ['full', 'public', { account: OWNER }, { account: BOB }] as const) {
      const json = serializeImage(RICH, { version, mode: 'dc', viewer, ownerLogin: 'alice' });
      t.strictSame(
        Object.keys(json).filter((key) => !VERSION_2_KEYS.includes(key)),
        [],
      );
      t.strictSame(json['files'], [{ sha1: 's', size: 5, compression: 'gzip', dataset_guid: '123' }]);
      t.notMatch(JSON.stringify(json), /bob|nobody|alice/);
    }
  }
  t.end();
});

test("a bare image shows what every image has; of what is empty, what today's IMGAPI shows", (t) => {
  const unshown = { acl: [], description: '', billing_tags: [], traits: {}, channels: [], generate_passwords: false };
  const empty: ImageRecord = { ...BARE, ...unshown, requirements: {}, users: [], tagsObj: {} };
  const expected = {
    v: 2,
    uuid: BARE.uuid,
    owner: OWNER,
    name: 'base',
    version: '1.0',
    state: 'unactivated',
    disabled: false,
    public: false,
    type: 'zone-dataset',
    os: 'smartos',
    files: [],
  };
  for (const version of [1, 2, 3] as const) {
    t.strictSame(serializeImage(BARE, viewOf(version)), expected);
    t.strictSame(serializeImage(empty, viewOf(version)), { ...expected, requirements: {}, users: [], tags: {} });
  }
  t.end();
});

test('values are shown as stored, and the icon as a flag', (t) => {
  t.match(serializeImage(RICH, FULL), {
    published_at: '2014-01-01T12:00:00Z',
    icon: true,
    tags: { role: 'db' },
    image_size: 10240,
    files: [{ sha1: 's', size: 5, compression: 'gzip', dataset_guid: '123', sha256: 'h' }],
    copied_from: { datacenter: 'us-sw-1', at: AT },
  });
  t.end();
});

test('admin fields show where the files are', (t) => {
  const files = (version: 1 | 2 | 3) => serializeImage(RICH, { ...viewOf(version), inclAdminFields: true })['files'];
  t.strictSame(files(2), [{ sha1: 's', size: 5, compression: 'gzip', dataset_guid: '123', stor: 'manta' }]);
  t.match(files(3), [{ sha256: 'h', stor: 'manta' }]);
  t.end();
});

test('a public server hides billing tags and traits', (t) => {
  for (const [mode, shown] of [
    ['dc', true],
    ['private', true],
    ['public', false],
  ] as const) {
    const json = serializeImage(RICH, { version: 2, mode, viewer: 'full' });
    t.equal('billing_tags' in json, shown, mode);
    t.equal('traits' in json, shown, mode);
  }
  t.end();
});

type StateRow = readonly [Partial<ImageRecord>, before3: string, in3: string];
const LIVE_COPY = { state: 'live', datacenter: 'us-sw-1' } as const;
const STATES: Readonly<Record<string, StateRow>> = {
  'an image without activation': [{}, 'unactivated', 'unactivated'],
  'one that is disabled before activation': [{ disabled: true, state: 'disabled' }, 'unactivated', 'unactivated'],
  'an activated image': [{ activated: true, state: 'active' }, 'active', 'active'],
  'a disabled image': [{ activated: true, disabled: true, state: 'active' }, 'disabled', 'disabled'],
  'an activated image that an operator said failed': [{ activated: true, state: 'failed' }, 'failed', 'failed'],
  'an activated image with a stray state': [{ activated: true, state: 'creating' }, 'active', 'active'],
  'an image that is made from a VM': [{ state: 'creating' }, 'creating', 'creating'],
  'one that could not be made': [{ state: 'failed' }, 'failed', 'failed'],
  'a placeholder of a copy': [{ state: 'creating', copy: LIVE_COPY }, 'creating', 'copying'],
  'one whose copy failed': [{ state: 'failed', copy: { state: 'failed', datacenter: 'us-sw-1' } }, 'failed', 'failed'],
  'one whose copy failed a moment ago': [
    { state: 'creating', copy: { state: 'failed', datacenter: 'us-sw-1' } },
    'failed',
    'failed',
  ],
};

for (const [what, [changes, before3, in3]] of Object.entries(STATES)) {
  test(`${what} is shown as ${before3}, and in version 3 as ${in3}`, (t) => {
    const record = { ...BARE, ...changes };
    t.equal(serializeImage(record, viewOf(1))['state'], before3);
    t.equal(serializeImage(record, viewOf(2))['state'], before3);
    t.equal(serializeImage(record, viewOf(3))['state'], in3);
    t.end();
  });
}

test('only a failed image shows its error', (t) => {
  const error = { message: 'no', code: 'X' };
  t.strictSame(serializeImage({ ...BARE, state: 'failed', error }, viewOf(2))['error'], error);
  t.notOk('error' in serializeImage({ ...BARE, state: 'creating', error }, viewOf(2)));
  t.strictSame(serializeImage({ ...BARE, activated: true, state: 'failed', error }, viewOf(2))['error'], error);
  t.notOk('error' in serializeImage({ ...BARE, activated: true, state: 'active', error }, viewOf(2)));
  t.end();
});

test('a placeholder shows no type and os before it has one', (t) => {
  const json = serializeImage({ ...BARE, state: 'creating', type: 'null', os: 'null' }, viewOf(2));
  t.notOk('type' in json);
  t.notOk('os' in json);
  t.end();
});

test('owner and operators see the whole ACL as typed, and in earlier versions the UUIDs on it', (t) => {
  for (const account of [undefined, OWNER]) {
    t.strictSame(serializeImage(RICH, viewOf(3, account))['acl'], ['bob', CAROL, 'nobody']);
    t.strictSame(serializeImage(RICH, viewOf(2, account))['acl'], [CAROL]);
    t.strictSame(serializeImage(RICH, viewOf(1, account))['acl'], [CAROL]);
    t.notOk('shared_as' in serializeImage(RICH, viewOf(3, account)));
  }
  t.end();
});

test('an account that the image is shared with sees itself only, and in version 3 by which entries', (t) => {
  for (const version of [1, 2, 3] as const) {
    t.strictSame(serializeImage(RICH, viewOf(version, BOB))['acl'], [BOB]);
    t.strictSame(serializeImage(RICH, viewOf(version, CAROL))['acl'], [CAROL]);
  }
  t.strictSame(serializeImage(RICH, viewOf(3, BOB))['shared_as'], ['bob']);
  t.strictSame(serializeImage(RICH, viewOf(3, CAROL))['shared_as'], [CAROL]);
  t.end();
});

test('nobody else sees an ACL, or where the image came from', (t) => {
  const record = leave({ ...RICH, public: true }, BOB);
  for (const viewer of ['public', { account: DAVE }, { account: BOB }] as const) {
    const json = serializeImage(record, { version: 3, mode: 'dc', viewer });
    for (const key of ['acl', 'shared_as', 'copied_from', 'cloned_from']) t.notOk(key in json, key);
    t.notMatch(JSON.stringify(json), /bob|nobody/);
  }
  t.end();
});

test('grants, and what the service keeps for itself, are never shown', (t) => {
  const json = JSON.stringify(serializeImage(RICH, { ...FULL, inclAdminFields: true }));
  t.notMatch(json, BOB);
  t.notMatch(json, /grants|shares|expires_at|rev|tagsObj|activated|contentMD5|mtime|digest|intent/i);
  t.end();
});

test('the archived form is that of version 2 for operators', (t) => {
  t.strictSame(serializeFull(RICH, 'dc'), serializeImage(RICH, viewOf(2)));
  t.notOk('traits' in serializeFull(RICH, 'public'));
  t.end();
});

test('the tag is the SHA-1 of the compact JSON', (t) => {
  const json = serializeImage(RICH, viewOf(2));
  t.equal(imageEtag(json), createHash('sha1').update(JSON.stringify(json)).digest('hex'));
  t.equal(imageEtag(json), imageEtag(serializeImage(structuredClone(RICH), viewOf(2))), 'the same for the same image');
  t.equal(
    imageEtag(serializeImage(BARE, viewOf(2))),
    '304f9afad411f3ff79e5dd253f44ba22f6630be6',
    'the same today and tomorrow',
  );
  t.end();
});

test('the tag differs per version and viewer, not by the owner’s login, admin fields or grants', (t) => {
  const tag = (view: ImageView, record = RICH) => imageEtag(serializeImage(record, view));
  const views = [viewOf(1), viewOf(2), viewOf(3), viewOf(3, BOB), viewOf(3, CAROL), viewOf(3, DAVE)];
  t.equal(new Set(views.map((view) => tag(view))).size, views.length);
  t.equal(tag({ ...FULL, ownerLogin: 'alice' }), tag(FULL));
  t.equal(tag({ ...FULL, inclAdminFields: true }), tag(FULL));
  t.equal(tag(viewOf(2), { ...RICH, grants: [DAVE] }), tag(viewOf(2)));
  t.equal(tag(FULL, { ...RICH, grants: [DAVE] }), tag(FULL));
  t.end();
});

test('a rendered image is its JSON indented by two, with the owner’s login at the end', (t) => {
  for (const record of [RICH, Object.freeze({ ...RICH }), BARE, Object.freeze({ ...BARE })]) {
    for (const ownerLogin of [undefined, 'alice', 'a"\\\nä']) {
      for (const view of [viewOf(1), viewOf(2), viewOf(3), viewOf(3, BOB)]) {
        const value = serializeImage(record, { ...view, ownerLogin });
        const image = renderImage(record, { ...view, ownerLogin });
        t.equal(image.body, JSON.stringify(value, null, 2));
        t.notOk(Object.values(value).includes(undefined));
        t.equal(image.etag, imageEtag(value));
      }
    }
  }
  t.end();
});

test('a list of rendered images is the JSON of the array, indented by two', (t) => {
  const records = [Object.freeze({ ...RICH }), { ...BARE, description: 'two\nlines' }];
  const images = records.map((record) => renderImage(record, { ...FULL, ownerLogin: 'alice' }));
  const expected = JSON.stringify(
    images.map(({ body }) => JSON.parse(body)),
    null,
    2,
  );
  t.equal(renderImageList(images), expected);
  t.equal(renderImageList(images), expected, 'also when asked again');
  t.equal(renderImageList([]), '[]');
  t.end();
});

test('a frozen record is rendered once per view, and accounts that see the same share a view', (t) => {
  const record = Object.freeze({ ...RICH, public: true });
  t.equal(renderImage(record, viewOf(3)), renderImage(record, viewOf(3, OWNER)));
  t.equal(renderImage(record, viewOf(3, DAVE)), renderImage(record, { ...FULL, viewer: 'public' }));
  t.equal(renderImage(record, viewOf(3, BOB)), renderImage(record, viewOf(3, BOB)));
  t.equal(renderImage(record, viewOf(2)), renderImage(record, { ...viewOf(2), ownerLogin: 'alice' }));
  const distinct = [
    viewOf(1),
    viewOf(2),
    viewOf(3),
    viewOf(3, BOB),
    viewOf(3, CAROL),
    viewOf(3, DAVE),
    { ...FULL, inclAdminFields: true },
    { ...FULL, mode: 'public' } as const,
    { ...FULL, ownerLogin: 'alice' },
    { ...FULL, ownerLogin: 'robert' },
  ];
  t.equal(new Set(distinct.map((view) => renderImage(record, view))).size, distinct.length);
  t.end();
});

test('a record that may still change is rendered anew each time', (t) => {
  const record = { ...BARE };
  const before = renderImage(record, FULL);
  record.name = 'other';
  t.match(JSON.parse(renderImage(record, FULL).body), { name: 'other' });
  t.match(JSON.parse(before.body), { name: 'base' });
  t.end();
});

test('an image that is shared with many accounts keeps a bounded number of views', (t) => {
  const accounts = Array.from(
    { length: 200 },
    (_, index) => `00000000-0000-0000-0000-${String(index).padStart(12, '0')}`,
  );
  const record = Object.freeze({ ...BARE, activated: true, acl: accounts });
  const first = renderImage(record, viewOf(2, accounts[0]));
  for (const account of accounts) t.match(JSON.parse(renderImage(record, viewOf(2, account)).body), { acl: [account] });
  t.not(renderImage(record, viewOf(2, accounts[0])), first, 'the oldest view was given up');
  t.end();
});
