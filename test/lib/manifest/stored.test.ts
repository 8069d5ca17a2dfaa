import { test } from 'tap';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { normalizeStored, recordFields, tagFields, tagSearchStrings } from '#lib/manifest/stored.ts';
import { validateManifest } from '#lib/manifest/validate.ts';

const RECORD: ImageRecord = {
  v: 2,
  uuid: '1f9b7958-289e-4ea3-8f88-5486a40d6823',
  owner: '930896af-bf8c-48d4-885c-6573a94b1853',
  name: 'base',
  version: '1.0',
  state: 'unactivated',
  activated: false,
  disabled: false,
  public: false,
  type: 'zone-dataset',
  os: 'smartos',
};

function stored(changes: Record<string, unknown>): ImageRecord {
  return Object.freeze({ ...RECORD, ...changes }) as ImageRecord;
}

test('tags become the object and the strings that they are searched by', (t) => {
  const tags = {
    role: 'db',
    cores: 4,
    ha: true,
    off: false,
    empty: '',
    eq: 'a=b',
    nothing: null,
    list: [1],
    object: { a: 1 },
    long: 'x'.repeat(101),
    longest: 'x'.repeat(100),
  };
  const strings = [
    'role=db',
    'cores=4',
    'ha=true',
    'off=false',
    'empty=',
    'eq=a=b',
    'nothing=',
    'list=',
    'object=',
    'long=',
    `longest=${'x'.repeat(100)}`,
  ];
  t.same(tagSearchStrings(tags), strings);
  t.same(recordFields({ tags }), { tags: strings, tagsObj: tags });
  t.same(tagFields({}), { tags: [], tagsObj: {} });
  t.end();
});

test('tags that are no object are kept for validation to refuse', (t) => {
  for (const tags of ['a=b', ['a=b'], 5, true]) {
    const record = { ...RECORD, ...recordFields({ tags }) };
    t.match(validateManifest(record, { mode: 'dc' }), [{ field: 'tags', code: 'Invalid' }]);
  }
  t.end();
});

test('booleans may be written as their names, and the image size as text', (t) => {
  t.strictSame(recordFields({ public: 'true', disabled: 'false', generate_passwords: 'true', image_size: '10240' }), {
    public: true,
    disabled: false,
    generate_passwords: true,
    image_size: 10240,
  });
  t.strictSame(recordFields({ public: 'yes', image_size: '10 GiB' }), { public: 'yes', image_size: '10 GiB' });
  t.end();
});

test('null and empty texts mean "not given", except for what every image has', (t) => {
  t.strictSame(recordFields({ description: '', homepage: null, eula: '', users: null, origin: null, tags: null }), {});
  t.strictSame(recordFields({ name: null, version: '', nic_driver: null, files: undefined }), {
    name: null,
    version: '',
  });
  t.end();
});

test('the icon flag of a manifest is not taken over, and a bad one is kept for validation to refuse', (t) => {
  t.strictSame(recordFields({ icon: true }), {});
  t.strictSame(recordFields({ icon: 'false' }), {});
  t.strictSame(recordFields({ icon: 'yes' }), { icon: 'yes' });
  t.end();
});

test('a key that names a prototype stays a key', (t) => {
  const fields = recordFields(JSON.parse('{"__proto__": {"activated": true}}'));
  t.notOk(fields['activated']);
  t.same(Object.keys(fields), ['__proto__']);
  t.end();
});

test('a record in today’s form is answered as it is', (t) => {
  const record = stored({ acl: [], tags: ['a=b'], tagsObj: { a: 'b' } });
  t.equal(normalizeStored(record), record);
  t.equal(normalizeStored(stored({ tags: [] })).tagsObj, undefined);
  t.end();
});

test('a record of an older IMGAPI is brought into form', (t) => {
  const record = stored({
    acl: RECORD.owner,
    billing_tags: 'xxl',
    public: 'false',
    disabled: 'true',
    activated: 'true',
    generate_passwords: 'false',
    name: 5,
    version: 13.4,
    description: 7,
    image_size: '10240',
    error: null,
    icon: null,
  });
  t.strictSame(normalizeStored(record), {
    ...RECORD,
    acl: [RECORD.owner],
    billing_tags: ['xxl'],
    public: false,
    disabled: true,
    activated: true,
    generate_passwords: false,
    name: '5',
    version: '13.4',
    description: '7',
    image_size: 10240,
  });
  t.end();
});

test('tags that were stored as search strings only become an object again', (t) => {
  const record = stored({ tags: ['role=db', 'eq=a=b', 'empty=', 'no separator', 5] });
  t.strictSame(normalizeStored(record).tagsObj, { role: 'db', eq: 'a=b', empty: '' });
  t.strictSame(normalizeStored(stored({ tags: 'role=db' })).tagsObj, { role: 'db' });
  t.strictSame(normalizeStored(stored({ tags: 'role=db' })).tags, ['role=db']);
  t.end();
});

test('what cannot be brought into form stays as it is, for validation to refuse', (t) => {
  const record = stored({ public: 'yes', acl: 5, tagsObj: 'x', tags: 5 });
  t.equal(normalizeStored(record), record);
  t.end();
});

test('a frozen record is brought into form once, so that its new form has an identity too', (t) => {
  const record = stored({ acl: RECORD.owner });
  t.equal(normalizeStored(record), normalizeStored(record));
  t.ok(Object.isFrozen(normalizeStored(record)));
  const mutable: Record<string, unknown> = { ...RECORD };
  t.equal(normalizeStored(mutable as unknown as ImageRecord).acl, undefined);
  mutable['acl'] = RECORD.owner;
  t.same(normalizeStored(mutable as unknown as ImageRecord).acl, [RECORD.owner]);
  t.end();
});

test('every index of the bucket is a field that validation knows', (t) => {
  const record = Object.fromEntries(Object.keys(IMAGES.index).map((field) => [field, undefined]));
  const unknown = validateManifest(record, { mode: 'dc' }).filter(({ message }) =>
    message.includes('no manifest field'),
  );
  t.same(unknown, []);
  t.end();
});
