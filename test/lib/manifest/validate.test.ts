import t from 'tap';
import { REQUIRED_FIELDS } from '#lib/manifest/fields.ts';
import { problemSummary } from '#lib/manifest/problem.ts';
import { isValidRecord, storedRecordProblems, validateManifest } from '#lib/manifest/validate.ts';
import { codes, DC, IMAGE, OWNER, UUID, ZVOL, zvol } from './validate-fixture.ts';

t.test('all problems are collected: stored form, required fields, optional fields, unknown keys', (t) => {
  const record = {
    zzz: 1,
    icon: { contentMD5: 'x' },
    tags: 'a=b',
    homepage: 5,
    billing_tags: 'x',
    description: 7,
    state: 'gone',
    type: 'zvol',
    activated: true,
    name: 5,
    uuid: 'x',
  };
  const problems = validateManifest(record, DC);
  t.same(
    problems.map(({ field, code }) => [field, code]),
    [
      ['tags', 'Invalid'],
      ['icon', 'Invalid'],
      ['v', 'MissingParameter'],
      ['uuid', 'Invalid'],
      ['owner', 'MissingParameter'],
      ['name', 'Invalid'],
      ['version', 'MissingParameter'],
      ['disabled', 'MissingParameter'],
      ['published_at', 'MissingParameter'],
      ['public', 'MissingParameter'],
      ['state', 'Invalid'],
      ['os', 'MissingParameter'],
      ['files', 'MissingParameter'],
      ['nic_driver', 'MissingParameter'],
      ['disk_driver', 'MissingParameter'],
      ['cpu_type', 'MissingParameter'],
      ['image_size', 'MissingParameter'],
      ['description', 'Invalid'],
      ['homepage', 'Invalid'],
      ['billing_tags', 'Invalid'],
      ['zzz', 'Invalid'],
    ],
  );
  t.equal(problemSummary(problems.slice(3, 6)), 'invalid image data: uuid, owner, name');
  t.end();
});

t.test('of an empty record every field is missing that all images have', (t) => {
  const conditional = ['published_at', 'files', 'nic_driver', 'disk_driver', 'cpu_type', 'image_size'];
  const fields = validateManifest({}, DC).map(({ field }) => field);
  t.same(
    fields,
    REQUIRED_FIELDS.filter((field) => !conditional.includes(field)),
  );
  t.end();
});

t.test('a message names the value and what would be right', (t) => {
  const message = (changes: Record<string, unknown>) => validateManifest({ ...IMAGE, ...changes }, DC)[0]?.message;
  t.equal(
    message({ type: 'vm' }),
    '"type" must be one of zone-dataset, lx-dataset, lxd, zvol, docker, other, not "vm"',
  );
  t.equal(message({ nic_driver: 'e1000' }), '"nic_driver" must be left out unless the type is zvol, not "e1000"');
  t.equal(message({ type: 'zvol' }), '"nic_driver" is missing: images of type zvol need it');
  t.equal(message({ name: 'a'.repeat(1025) }), '"name" must have at most 1024 characters, not 1025');
  t.equal(message({ acl: [OWNER, 'bob'] }), '"acl" must be an array of UUIDs, but item 1 is "bob"');
  t.equal(message({ traits: { a: 5 } }), '"traits" must hold strings, booleans and arrays, but "a" is 5');
  t.equal(
    message({ requirements: { min_ram: 4, max_ram: 2 } }),
    '"requirements.max_ram" must be at least min_ram, which is 4, not 2',
  );
  t.ok((message({ users: 'x'.repeat(5000) })?.length ?? 0) < 300, 'a long value is cut');
  t.end();
});

t.test('a public server takes public images only, a private one private images only', (t) => {
  t.equal(codes({ public: true }, { mode: 'public' }), '');
  t.equal(codes({ public: 'false' }, { mode: 'public' }), 'public/Invalid');
  t.equal(codes({ public: false }, { mode: 'private' }), '');
  t.equal(codes({ public: 'true' }, { mode: 'private' }), 'public/Invalid');
  t.equal(codes({ public: 5 }, { mode: 'private' }), 'public/Invalid');
  t.end();
});

t.test('channels are required where there are any, and refused where there are none', (t) => {
  const publicly = { mode: 'public', channels: true } as const;
  t.equal(codes({ public: true, channels: ['dev'] }, publicly), '');
  t.equal(codes({ public: true, channels: ['no such channel'] }, publicly), '', 'names are not compared');
  t.equal(codes({ public: true }, publicly), 'channels/MissingParameter');
  t.equal(codes({ public: true, channels: [5] }, publicly), 'channels/Invalid');
  t.equal(codes({ public: true, channels: 'dev' }, publicly), 'channels/Invalid');
  t.equal(codes({ public: true, channels: ['dev'] }, { mode: 'public' }), 'channels/Invalid');
  t.equal(codes({ channels: ['dev'] }, { mode: 'dc', channels: true }), 'channels/Invalid');
  t.equal(codes({}, { mode: 'dc', channels: true }), '');
  t.end();
});

t.test('a placeholder needs little, and what it has is checked', (t) => {
  const placeholder = { v: 2, uuid: UUID, name: 'a', version: '1', type: 'null', os: 'null', state: 'creating' };
  const minimal = { mode: 'dc', minimal: true } as const;
  t.same(validateManifest(placeholder, minimal), []);
  const problems = validateManifest({ ...placeholder, owner: 'x', name: undefined }, minimal);
  t.same(
    problems.map(({ field }) => field),
    ['name', 'owner'],
  );
  t.not(validateManifest(placeholder, DC).length, 0);
  t.ok(isValidRecord(placeholder, DC), 'a stored one is recognised by its state');
  t.notOk(isValidRecord({ ...placeholder, state: 'failed' }, DC));
  t.notOk(isValidRecord(placeholder, { mode: 'private' }), 'outside a datacenter there are none');
  t.end();
});

t.test('a stored record does not vanish because of a rule that came later, or a field of a later version', (t) => {
  const old = [
    { traits: ['x'] },
    { published_at: '2014-13-41T12:00:00Z' },
    { homepage: 'http:' },
    zvol('image_size', 0),
    { some_later_field: 1 },
  ];
  for (const changes of old) {
    t.not(codes(changes), '', `refused when written: ${JSON.stringify(changes)}`);
    t.ok(isValidRecord({ ...IMAGE, ...changes }, DC), `served when stored: ${JSON.stringify(changes)}`);
  }
  t.notOk(isValidRecord({ ...IMAGE, owner: 'x' }, DC));
  t.match(storedRecordProblems({ ...IMAGE, owner: 'x' }, DC), [{ field: 'owner', code: 'Invalid' }]);
  t.end();
});

t.test('what the service itself adds to a record is known', (t) => {
  const own = {
    expires_at: 'x',
    rev: 3,
    shares: [{ entry: 'bob' }],
    grants: [OWNER],
    left: [OWNER],
    copy: { state: 'live', datacenter: 'us-sw-1' },
    copied_from: {},
    cloned_from: {},
    intent: {},
    tagsObj: {},
  };
  t.equal(codes(own), '');
  t.end();
});

t.test('a frozen record is judged once per kind of service, a record that may change every time', (t) => {
  const frozen = Object.freeze({ ...IMAGE });
  t.ok(isValidRecord(frozen, DC));
  t.ok(isValidRecord(frozen, DC));
  t.notOk(isValidRecord(frozen, { mode: 'public' }));
  t.notOk(isValidRecord(frozen, { mode: 'private', channels: true }));
  const mutable: Record<string, unknown> = { ...IMAGE };
  t.ok(isValidRecord(mutable, DC));
  mutable['uuid'] = 'x';
  t.notOk(isValidRecord(mutable, DC));
  t.end();
});

t.test('no value of any field makes the validation throw', (t) => {
  const odd = [
    null,
    0,
    1,
    -1,
    '',
    'x',
    'x'.repeat(1e6),
    true,
    [],
    [null],
    [[]],
    {},
    { a: null },
    [{ a: 1 }],
    Number.NaN,
  ];
  const fields = [
    ...Object.keys(ZVOL),
    'urn',
    'icon',
    'acl',
    'requirements',
    'users',
    'traits',
    'tagsObj',
    'tags',
    'error',
  ];
  const requirements = [
    'networks',
    'brand',
    'ssh_key',
    'min_ram',
    'max_ram',
    'min_platform',
    'max_platform',
    'bootrom',
  ];
  for (const value of odd) {
    for (const field of fields) {
      t.doesNotThrow(() => validateManifest({ ...ZVOL, [field]: value }, DC), `${field} ${String(value).slice(0, 9)}`);
    }
    for (const name of requirements) {
      t.doesNotThrow(() => validateManifest({ ...ZVOL, requirements: { [name]: value } }, DC), name);
    }
  }
  t.end();
});
