import t from 'tap';
import { codes, FILE, OWNER, UUID, ZVOL, zvol } from './validate-fixture.ts';

type Row = readonly [changes: Record<string, unknown>, expected: string];

/** All rows that are fine, then all that are not. */
function rows(valid: readonly Record<string, unknown>[], bad: readonly Row[]): readonly Row[] {
  return [...valid.map((changes): Row => [changes, '']), ...bad];
}

/** Values of one field. */
function values(field: string, valid: readonly unknown[], bad: readonly unknown[]): readonly Row[] {
  return rows(
    valid.map((value) => ({ [field]: value })),
    bad.map((value): Row => [{ [field]: value }, `${field}/Invalid`]),
  );
}

/** The last one cannot be turned into a text. */
const NO_STRING: readonly unknown[] = [null, 5, true, [], {}, { toString: 1 }];
const NO_BOOLEAN = [null, 0, 1, 'yes', '', [], {}];
const PNG = { contentMD5: 'x', size: 10, contentType: 'image/png' };
const reqs = (requirements: unknown) => ({ requirements });

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  v: [...values('v', [2, 0, '2', 1.5], [-1, 'two', null, '', [2], true]), [{ v: undefined }, 'v/MissingParameter']],
  uuid: [
    ...values('uuid', [UUID], [UUID.toUpperCase(), UUID.slice(1), `${UUID}0`, 'x', ...NO_STRING]),
    [{ uuid: undefined }, 'uuid/MissingParameter'],
  ],
  urn: values('urn', ['sdc:admin:base:1.0'], NO_STRING),
  owner: [
    ...values('owner', ['00000000-0000-0000-0000-000000000000'], ['admin', ...NO_STRING]),
    [{ owner: undefined }, 'owner/MissingParameter'],
  ],
  name: [
    ...values('name', ['a', 'a'.repeat(1024), 'Az09._/ -'], ['', 'a'.repeat(1025), 'a+b', 'ä', 'a\n', ...NO_STRING]),
    [{ name: undefined }, 'name/MissingParameter'],
  ],
  version: [
    ...values('version', ['1', '1'.repeat(512), 'Az09._/+-'], ['', '1'.repeat(513), '1 0', '1\n', ...NO_STRING]),
    [{ version: undefined }, 'version/MissingParameter'],
  ],
  description: values('description', ['', 'ä'.repeat(10240)], ['a'.repeat(10241), ...NO_STRING]),
  homepage: values(
    'homepage',
    ['http://example.com', 'HTTPS://example.com/a?b#c', `http://a/${'a'.repeat(1015)}`],
    [`http://a/${'a'.repeat(1016)}`, 'ftp://example.com', 'example.com', 'http://', '', ...NO_STRING],
  ),
  eula: values('eula', ['https://example.com/eula'], ['javascript:alert(1)', 'mailto:a@b', ...NO_STRING]),
  disabled: [
    ...values('disabled', [true, 'true', 'false'], NO_BOOLEAN),
    [{ disabled: undefined }, 'disabled/MissingParameter'],
  ],
  activated: [
    ...values('activated', [true, 'true'], NO_BOOLEAN),
    [{ activated: undefined }, 'activated/MissingParameter'],
  ],
  published_at: rows(
    [
      { published_at: '2014-01-01T12:00:00Z' },
      { activated: false, published_at: undefined },
      { activated: 'false', published_at: null },
    ],
    [
      [{ published_at: undefined }, 'published_at/MissingParameter'],
      [{ activated: 'true', published_at: undefined }, 'published_at/MissingParameter'],
      [{ published_at: '' }, 'published_at/MissingParameter'],
      [{ published_at: '2014-01-01T12:00Z' }, 'published_at/Invalid'],
      [{ published_at: '2014-01-01T12:00:00.12Z' }, 'published_at/Invalid'],
      [{ published_at: '2014-01-01' }, 'published_at/Invalid'],
      [{ published_at: '2014-13-41T12:00:00Z' }, 'published_at/Invalid'],
      [{ published_at: 1388577600000 }, 'published_at/Invalid'],
    ],
  ),
  state: [
    ...values(
      'state',
      ['active', 'unactivated', 'disabled', 'failed', 'creating', 'deleting'],
      ['copying', '', ...NO_STRING],
    ),
    [{ state: undefined }, 'state/MissingParameter'],
  ],
  public: [
    ...values('public', [true, 'true', 'false'], NO_BOOLEAN),
    [{ public: undefined }, 'public/MissingParameter'],
  ],
  type: [
    ...values('type', ['lx-dataset', 'lxd', 'docker', 'other'], ['vmware', 'null', '', ...NO_STRING]),
    ...rows([ZVOL, { state: 'creating', type: 'null' }, { state: 'failed', type: 'null', os: 'null' }], []),
    [{ type: undefined }, 'type/MissingParameter'],
  ],
  os: [
    ...values('os', ['linux', 'windows', 'bsd', 'illumos', 'other'], ['plan9', 'null', '', ...NO_STRING]),
    [{ state: 'deleting', os: 'null' }, ''],
    [{ os: undefined }, 'os/MissingParameter'],
  ],
  origin: values('origin', [OWNER], ['base', '', ...NO_STRING]),
  error: values('error', [{}, { message: 'no' }], [null, 'no', [], 5]),
  files: [
    ...values('files', [[]], [null, {}, 'x', [null], [FILE, FILE], [[]]]),
    ...values(
      'files',
      [...['bzip2', 'xz', 'none'].map((compression) => [{ ...FILE, compression }]), [{ ...FILE, size: 0 }]],
      [
        [{ ...FILE, sha1: '' }],
        [{ ...FILE, size: undefined }],
        [{ ...FILE, compression: 'zip' }],
        [{ sha1: 'x', size: 1 }],
      ],
    ),
    [{ files: [{}] }, 'files/Invalid files/Invalid files/Invalid'],
    [{ files: [{ ...FILE, dataset_guid: '1'.repeat(100) }] }, ''],
    [{ files: [{ ...FILE, dataset_guid: '1'.repeat(101) }] }, 'files/Invalid'],
    [{ files: [{ ...FILE, dataset_guid: 1 }] }, 'files/Invalid'],
    [{ files: undefined }, 'files/MissingParameter'],
    [{ files: undefined, activated: false }, ''],
    [{ type: 'lxd', files: [FILE, FILE] }, ''],
    [{ type: 'lxd', files: [FILE, FILE, FILE] }, 'files/Invalid'],
    ...[{ toString: 1 }, ['lxd'], 'constructor'].map(
      (type): Row => [{ type, files: [FILE, FILE] }, 'type/Invalid files/Invalid'],
    ),
  ],
  icon: values(
    'icon',
    [PNG, { ...PNG, size: 0 }, false, 'false', null],
    [true, 'yes', 5, [], {}, { ...PNG, contentMD5: '' }, { ...PNG, size: '1' }, { ...PNG, contentType: undefined }],
  ),
  acl: values('acl', [[], [OWNER], [OWNER, UUID]], [null, OWNER, {}, ['bob'], [OWNER, 'bob', 'bib'], [null], [5]]),
  requirements: [
    ...values('requirements', [{}], [null, [], 'x', 5]),
    [reqs({ networks: [], brand: '', ssh_key: false, min_ram: 0, max_ram: null, bootrom: '', min_platform: '' }), ''],
  ],
  'requirements.networks': [
    [reqs({ networks: [{ name: 'net0', description: 'public' }] }), ''],
    [reqs({ networks: {} }), 'requirements.networks/Invalid'],
    [reqs({ networks: [null] }), 'requirements.networks/Invalid'],
    [reqs({ networks: [{ name: 'net0' }, 'net1'] }), 'requirements.networks/Invalid requirements.networks/Invalid'],
    [reqs({ networks: [{ name: 'a', description: 'b', c: 1 }] }), 'requirements.networks/Invalid'],
  ],
  'requirements.brand': [
    [reqs({ brand: 'lx' }), ''],
    [reqs({ brand: 5 }), 'requirements.brand/Invalid'],
  ],
  'requirements.ssh_key': [
    [reqs({ ssh_key: true }), ''],
    [reqs({ ssh_key: 'true' }), 'requirements.ssh_key/Invalid'],
  ],
  'requirements.min_ram and max_ram': [
    [reqs({ min_ram: 256 }), ''],
    [reqs({ max_ram: 256 }), ''],
    [reqs({ min_ram: 256, max_ram: 256 }), ''],
    [reqs({ min_ram: 257, max_ram: 256 }), 'requirements.max_ram/Invalid'],
    [reqs({ min_ram: 1.5 }), 'requirements.min_ram/Invalid'],
    [reqs({ min_ram: '256' }), 'requirements.min_ram/Invalid'],
    [reqs({ max_ram: -1, min_ram: true }), 'requirements.min_ram/Invalid requirements.max_ram/Invalid'],
  ],
  'requirements.min_platform and max_platform': [
    [reqs({ min_platform: { '7.0': '20120101T000000Z' } }), ''],
    [reqs({ max_platform: { '7.0': '20991231T235959Z', '6.5': '20130308T102805Z' } }), ''],
    [reqs({ min_platform: { '6.5.4': '20120101T000000Z' } }), ''],
    [reqs({ min_platform: { undefined: '20120101T000000Z' } }), 'requirements.min_platform/Invalid'],
    [reqs({ max_platform: { '': '20120101T000000Z' } }), 'requirements.max_platform/Invalid'],
    [
      reqs({ max_platform: { 'v7.0': '20120101T000000Z', '7': '20120101T000000Z' } }),
      'requirements.max_platform/Invalid requirements.max_platform/Invalid',
    ],
    [reqs({ min_platform: {} }), 'requirements.min_platform/Invalid'],
    [reqs({ max_platform: ['20130308T102805Z'] }), 'requirements.max_platform/Invalid'],
    [reqs({ max_platform: 'x' }), 'requirements.max_platform/Invalid'],
    [
      reqs({ min_platform: { a: 'x', b: null } }),
      'requirements.min_platform/Invalid requirements.min_platform/Invalid',
    ],
  ],
  'requirements.bootrom': [
    [reqs({ bootrom: 'bios', brand: 'bhyve' }), ''],
    [reqs({ bootrom: 'uefi', brand: 'bhyve' }), ''],
    [reqs({ bootrom: 'efi', brand: 'bhyve' }), 'requirements.bootrom/Invalid'],
    [reqs({ bootrom: 'uefi' }), 'requirements.bootrom/MissingParameter'],
    [reqs({ bootrom: 'uefi', brand: 'kvm' }), 'requirements.bootrom/Invalid'],
  ],
  'an unknown requirement': [
    [reqs({ disk: 5, min_ram: 1 }), 'disk/Invalid'],
    [{ requirements: JSON.parse('{"__proto__": 5}') }, '__proto__/Invalid'],
  ],
  users: values(
    'users',
    [[], [{ name: 'root' }, { name: 'admin' }]],
    [null, {}, ['root'], [null], [{}], [{ name: 'root', uid: 0 }]],
  ),
  billing_tags: values(
    'billing_tags',
    [[], ['a'.repeat(128)], Array.from({ length: 1000 }, (_, at) => `t${at}`)],
    [null, 'xxl', ['a'.repeat(129)], [5], [null], Array.from({ length: 1001 }, (_, at) => `t${at}`)],
  ),
  traits: values('traits', [{}, { a: 'b', c: true, d: [1] }], [null, 'x', [], { a: 5 }, { a: null }, { a: {} }]),
  tags: values('tagsObj', [{}, { a: 'b', c: 5, d: null, e: { f: [1] } }], []),
  'tags that are no object': [null, 'x', 5, [], ['a=b']].map((tagsObj): Row => [{ tagsObj }, 'tags/Invalid']),
  'tags by their size': [
    // {"k":""} is eight characters.
    [{ tagsObj: { k: 'a'.repeat(102400 - 8) } }, ''],
    [{ tagsObj: { k: 'a'.repeat(102400 - 7) } }, 'tags/Invalid'],
  ],
  'tags as they are searched': values('tags', [[], ['a=b']], ['a=b', {}]),
  generate_passwords: values('generate_passwords', [true, false, 'true', 'false'], NO_BOOLEAN),
  inherited_directories: [
    ...values('inherited_directories', [[], ['/opt']], [null, '/opt', [5], {}]),
    [{ type: 'lx-dataset', inherited_directories: ['/opt'] }, 'inherited_directories/Invalid'],
  ],
  'the drivers of a zvol': ['nic_driver', 'disk_driver', 'cpu_type'].flatMap((field) => [
    ...rows(
      [zvol(field, 'virtio'), { [field]: '' }, { [field]: null }],
      [
        [zvol(field, undefined), `${field}/MissingParameter`],
        [zvol(field, 5), `${field}/Invalid`],
        [zvol(field, null), `${field}/Invalid`],
        [{ [field]: 'virtio' }, `${field}/Invalid`],
      ],
    ),
  ]),
  'the image_size of a zvol': rows(
    [zvol('image_size', 1), { image_size: 0 }, { image_size: null }],
    [
      [zvol('image_size', undefined), 'image_size/MissingParameter'],
      [zvol('image_size', 0), 'image_size/Invalid'],
      [zvol('image_size', -1), 'image_size/Invalid'],
      [zvol('image_size', 1.5), 'image_size/Invalid'],
      [zvol('image_size', '10240'), 'image_size/Invalid'],
      [{ image_size: 10240 }, 'image_size/Invalid'],
    ],
  ),
  'an unknown field': [
    [{ uid: 1, foo: undefined }, 'uid/Invalid'],
    [JSON.parse('{"__proto__": {"activated": true}}'), '__proto__/Invalid'],
  ],
};

for (const [what, table] of Object.entries(TABLE)) {
  t.test(`the rule of ${what} takes what is right and refuses the rest`, (t) => {
    for (const [changes, expected] of table) {
      t.equal(codes(changes), expected, JSON.stringify(changes).slice(0, 120));
    }
    t.end();
  });
}
