import { test } from 'tap';
import { upgradeManifest } from '#lib/manifest/upgrade.ts';

const UUID = '1f9b7958-289e-4ea3-8f88-5486a40d6823';
const CREATOR = '352971aa-31ba-496c-9ade-a379feaecd52';
const OTHER = 'df6ea68c-6549-486c-9479-1d48d54ae066';
const V1 = { uuid: UUID, creator_uuid: CREATOR, name: 'base', version: '1.0.0', type: 'zone-dataset', os: 'smartos' };
const V2 = { v: 2, uuid: UUID, owner: CREATOR, name: 'base', version: '1.0.0', type: 'zone-dataset', os: 'smartos' };
const PUBLIC = { public: true, disabled: false, state: 'active' };

const TABLE: Readonly<Record<string, readonly [Record<string, unknown>, Record<string, unknown>]>> = {
  'the creator is the owner, and the image public': [{}, {}],
  'a restricted image is private and shared': [{ restricted_to_uuid: OTHER }, { public: false, acl: [OTHER] }],
  'a disabled image is in state disabled': [{ disabled: 1 }, { disabled: true, state: 'disabled' }],
  'disabled as a word is a boolean': [{ disabled: 'false' }, { disabled: false, state: 'active' }],
  'the date of publication is kept': [
    { published_at: '2012-01-01T00:00:00Z', created_at: '2011-01-01T00:00:00Z' },
    { published_at: '2012-01-01T00:00:00Z' },
  ],
  'the date of creation stands in for it': [
    { created_at: '2011-01-01T00:00:00.000Z' },
    { published_at: '2011-01-01T00:00:00.000Z' },
  ],
  'a date without seconds gets some': [{ published_at: '2012-01-01T10:20Z' }, { published_at: '2012-01-01T10:20:00Z' }],
  'a creation date without seconds gets some too': [
    { created_at: '2012-01-01T10:20Z' },
    { published_at: '2012-01-01T10:20:00Z' },
  ],
  'files tell their compression by path, then url': [
    {
      files: [
        { sha1: 'a', size: 1, path: 'a.zfs.gz', url: 'http://x/a.bz2' },
        { sha1: 'b', size: 1, url: 'http://x/b.zfs.bz2' },
        { sha1: 'c', size: 1, path: 'c.zfs' },
        { sha1: 'd', size: 1 },
        { sha1: 'e', size: 1, path: 'e.gz', compression: 'xz' },
      ],
    },
    {
      files: [
        { sha1: 'a', size: 1, compression: 'gzip' },
        { sha1: 'b', size: 1, compression: 'bzip2' },
        { sha1: 'c', size: 1, compression: 'none' },
        { sha1: 'd', size: 1, compression: 'none' },
        { sha1: 'e', size: 1, compression: 'xz' },
      ],
    },
  ],
  'files that are none are left to validation': [{ files: [null, 'x'] }, { files: [null, 'x'] }],
  'files that are no array are left to validation': [{ files: 'x' }, { files: 'x' }],
  'image_size is a number': [{ image_size: '10240' }, { image_size: 10240 }],
  'what version 2 does not have is dropped': [
    {
      vendor_uuid: 'x',
      creator_name: 'x',
      cloud_name: 'x',
      creator_admin: 'x',
      owner_uuid: 'x',
      platform_type: 'x',
      created_at: undefined,
      updated_at: 'x',
      _url: 'x',
    },
    {},
  ],
  'what is unknown is kept for validation to name': [{ foo: 1 }, { foo: 1 }],
};

for (const [sentence, [old, upgraded]] of Object.entries(TABLE)) {
  test(`of a version 1 manifest ${sentence}`, (t) => {
    t.strictSame(upgradeManifest({ ...V1, ...old }), { ...V2, ...PUBLIC, ...upgraded });
    t.end();
  });
}

test('a manifest that is not version 1, or contradicts itself, is answered as it is', (t) => {
  const others = [
    V2,
    { ...V1, v: 2 },
    { name: 'base' },
    {},
    { ...V1, owner: CREATOR },
    { ...V1, restricted_to_uuid: OTHER, public: true },
    { ...V1, uuid: 'x' },
  ];
  for (const manifest of others) t.equal(upgradeManifest(manifest), manifest);
  t.end();
});

test('the manifest given is not changed', (t) => {
  const files = Object.freeze([Object.freeze({ sha1: 'a', size: 1, path: 'a.gz' })]);
  const manifest = Object.freeze({ ...V1, files });
  upgradeManifest(manifest);
  t.same(manifest.files[0], { sha1: 'a', size: 1, path: 'a.gz' });
  t.end();
});
