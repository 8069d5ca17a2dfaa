import t from 'tap';
import { MANIFEST_FIELDS, MUTABLE_FIELDS, RECORD_ONLY_FIELDS } from '#lib/manifest/fields.ts';
import type { ImageRecord } from '#lib/manifest/record.ts';
import {
  refreshedRecord,
  TRAVEL,
  TRAVELLING_EXTRAS,
  travellingFields,
  travellingRecord,
  WAYS,
  withoutLeftBehind,
} from '#lib/manifest/travel.ts';

t.test('every field of a manifest has a row, and no other but those that a record adds', async (t) => {
  t.same(Object.keys(TRAVEL), [...MANIFEST_FIELDS, ...TRAVELLING_EXTRAS]);
  for (const field of TRAVELLING_EXTRAS) t.ok((RECORD_ONLY_FIELDS as readonly string[]).includes(field), field);
});

for (const way of ['reread', 'recopy'] as const) {
  t.test(`${way} brings nothing but what may change of an image`, async (t) => {
    const mutable: readonly string[] = [...MUTABLE_FIELDS, 'shares'];
    t.same(
      travellingFields(way).filter((field) => !mutable.includes(field)),
      [],
    );
    for (const field of ['uuid', 'owner', 'type', 'origin', 'files', 'public', 'state', 'urn', 'channels'] as const) {
      t.equal(TRAVEL[field][way], 'kept', field);
    }
  });
}

t.test('the marks of the operators go every way', async (t) => {
  for (const field of ['billing_tags', 'traits'] as const) {
    for (const way of WAYS) t.equal(TRAVEL[field][way], 'goes', `${field}, ${way}`);
  }
});

t.test('a record gives all that is stored of a field', async (t) => {
  const record = {
    uuid: 'x',
    tags: ['a=b'],
    tagsObj: { a: 'b' },
    shares: [],
    grants: [],
    left: [],
    intent_lease: 'x',
    description: undefined,
  } as unknown as ImageRecord;
  t.strictSame(travellingRecord(record, 'copy'), {
    uuid: 'x',
    tags: ['a=b'],
    tagsObj: { a: 'b' },
    shares: [],
    grants: [],
    left: [],
  });
  t.strictSame(travellingRecord(record, 'clone'), { tags: ['a=b'], tagsObj: { a: 'b' } });
});

t.test('what the other side does not have any more is gone, and what it may not say is kept', async (t) => {
  const here = {
    uuid: 'x',
    origin: 'o',
    description: 'd',
    tags: ['a=b'],
    tagsObj: { a: 'b' },
  } as unknown as ImageRecord;
  const there = { uuid: 'y', origin: 'p', eula: 'http://e', type: 'zvol' } as unknown as ImageRecord;
  t.strictSame(refreshedRecord(here, there, 'reread'), { uuid: 'x', origin: 'o', eula: 'http://e' });
});

t.test('what no manifest has is left for the validation to name', async (t) => {
  const manifest = { name: 'n', icon: true, channels: ['dev'], state: 'active', colour: 'red' };
  t.strictSame(withoutLeftBehind(manifest, 'import-source'), { name: 'n', colour: 'red' });
});
