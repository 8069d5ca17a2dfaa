/** Holds the lists that the service asks for to their indexes: the plans do not depend on what is stored. */
import { test } from 'tap';
import { openSqliteBackend } from '#lib/documents/sqlite/store.ts';
import type { Filter, Query, Scalar } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';

const few = (field: keyof typeof IMAGES.index) => ({ ...IMAGES.index[field], type: 'string', few: true }) as const;
const BUCKET = { ...IMAGES, index: { ...IMAGES.index, state: few('state'), os: few('os'), type: few('type') } };

const ACCOUNT = 'a820621a-5007-4a2a-9636-edde809106de';
const eq = (field: string, value: Scalar): Filter => ({ op: 'eq', field, value });
const has = (field: string, value: Scalar): Filter => ({ op: 'contains', field, value });
const and = (...of: Filter[]): Filter => ({ op: 'and', of });

const MINE = eq('owner', ACCOUNT);
const PUBLIC = and(eq('public', true), eq('activated', true), eq('disabled', false));
const BY_UUID = and(has('acl', ACCOUNT), eq('public', false), eq('activated', true));
const BY_LOGIN = has('grants', ACCOUNT);
const VISIBLE: Filter = { op: 'or', of: [MINE, PUBLIC, BY_UUID, BY_LOGIN] };
const DEPRECATED: Filter = { op: 'exists', field: 'deprecated_at' };
const NAME: Filter = { op: 'substring', field: 'name', value: 'base' };
const ACTIVE = eq('state', 'active');

/** What an index finds in the order of the answer: nothing is sorted, nothing is read beyond the page. */
const IN_ORDER: [string, Filter | undefined, index: string][] = [
  ['all', undefined, 'published_at'],
  ['of an owner', and(MINE), 'owner$published_at'],
  ['active ones of an owner', and(MINE, ACTIVE, eq('type', 'zvol'), eq('os', 'linux')), 'owner$published_at'],
  ['public ones of an owner', and(PUBLIC, MINE), 'owner$published_at'],
  ['of an owner with a part of a name', and(MINE, NAME), 'owner$published_at'],
  ['active', and(eq('activated', true), eq('disabled', false)), 'activated$disabled$published_at'],
  [
    'active and of a type',
    and(eq('activated', true), eq('disabled', false), eq('type', 'zvol')),
    'activated$disabled$published_at',
  ],
  [
    'active with a part of a name',
    and(eq('activated', true), eq('disabled', false), NAME),
    'activated$disabled$published_at',
  ],
  ['public', PUBLIC, 'public$activated$disabled$published_at'],
  ['public and active', and(PUBLIC, ACTIVE), 'public$activated$disabled$published_at'],
  ['public of a type', and(PUBLIC, ACTIVE, eq('type', 'zvol')), 'public$activated$disabled$published_at'],
  ['with a name', and(eq('name', 'base')), 'name$published_at'],
  ['public with a name', and(PUBLIC, ACTIVE, eq('name', 'base')), 'name$published_at'],
  ['with a part of a name', NAME, 'published_at'],
  ['public with a part of a name', and(PUBLIC, NAME), 'public$activated$disabled$published_at'],
  ['being deleted', eq('state', 'deleting'), 'state$published_at'],
  ['deprecated', and(eq('activated', true), eq('disabled', false), DEPRECATED), 'deprecated_at$published_at'],
  ['deprecated and public', and(PUBLIC, DEPRECATED), 'deprecated_at$published_at'],
  ['deprecated, of an owner', and(MINE, DEPRECATED), 'deprecated_at$owner$published_at'],
];

const IN_INDEX_OF_FEW = /\$\$by\$deprecated_at\$/;

/** What the elements of an array have in the order of the answer: each row is looked up, nothing is sorted. */
const ELEMENTS_IN_ORDER: [string, Filter, field: string][] = [
  ['shared by UUID', BY_UUID, 'acl'],
  ['shared by login', BY_LOGIN, 'grants'],
  ['shared and active', and(BY_UUID, ACTIVE, eq('type', 'zvol')), 'acl'],
  ['with a tag', has('tags', 'role=db'), 'tags'],
  ['public with a tag', and(PUBLIC, has('tags', 'role=db')), 'tags'],
  ['in a channel', has('channels', 'dev'), 'channels'],
  ['with a billing tag', has('billing_tags', 'gold'), 'billing_tags'],
];

/** What an index finds in another order: only what was found is sorted. */
const FOUND: [string, Filter, index: RegExp][] = [
  [
    'with a tag that begins so',
    { op: 'containsPrefix', field: 'tags', value: 'role=' },
    /\$tags USING (PRIMARY KEY|COVERING INDEX \S+) \(value>\? AND value<\?\)/,
  ],
  ['shared, with a name', and(BY_UUID, eq('name', 'base')), /\$\$by\$name\$published_at \(i_name=/],
  ['of an owner with a tag', and(MINE, has('tags', 'role=db')), /\$\$by\$owner\$published_at \(i_owner=/],
  ['of an owner, name and version', and(MINE, eq('name', 'a'), eq('version', '1')), /\(i_(owner|name|version)=\?/],
  ['deprecated and shared', and(BY_UUID, DEPRECATED), /\$\$by\$deprecated_at\$published_at/],
  ['deprecated with a tag', and(DEPRECATED, has('tags', 'role=db')), /\$\$by\$deprecated_at\$published_at/],
  ['with an origin', eq('origin', ACCOUNT), /\$\$by\$origin \(i_origin=\?/],
];

test('list queries keep to their indexes', async (t) => {
  const store = await openSqliteBackend({ path: ':memory:' });
  t.teardown(() => store.close());
  await store.open([BUCKET]);
  const after = { value: '2026-01-01T00:00:00.000Z', key: ACCOUNT };
  const pages = (['asc', 'desc'] as const).flatMap((order): Query[] => {
    const sort = { field: 'published_at', order } as const;
    return [
      { sort, limit: 20 },
      { sort, limit: 20, after },
      { sort, limit: 20, after: { ...after, value: null } },
    ];
  });

  for (const [name, filter, index] of IN_ORDER) {
    await t.test(`images ${name} come from an index in their order`, async (t) => {
      for (const page of pages) {
        const plan = await store.planOf(BUCKET, { ...page, filter });
        for (const step of plan) {
          t.match(step, `USING INDEX imgapi_images$3$$by$${index}`);
          const isAll = filter === undefined || filter === NAME || IN_INDEX_OF_FEW.test(step);
          t.match(step, isAll ? /^(SCAN|SEARCH) / : /^SEARCH /);
        }
        t.ok(page.after === undefined || plan[0]?.startsWith('SEARCH'), 'a cursor is a place in the index');
      }
    });
  }

  for (const [name, filter, field] of ELEMENTS_IN_ORDER) {
    await t.test(`images ${name} come from the elements of ${field} in their order`, async (t) => {
      for (const page of pages) {
        const plan = await store.planOf(BUCKET, { ...page, filter });
        const steps = plan.filter((_, at) => at % 2 === 0);
        for (const step of steps) {
          t.match(
            step,
            `SEARCH imgapi_images$3$${field} USING COVERING INDEX imgapi_images$3$${field}$$by$published_at`,
          );
        }
        t.ok(
          plan.every((step, at) => steps.includes(step) || plan[at]?.endsWith('USING INTEGER PRIMARY KEY (rowid=?)')),
        );
        t.ok(page.after === undefined || steps[0]?.includes('o_published_at'), 'a cursor is a place in the index');
      }
    });
  }

  for (const [name, filter, index] of FOUND) {
    await t.test(`images ${name} are found by an index`, async (t) => {
      for (const page of pages) {
        const plan = (await store.planOf(BUCKET, { ...page, filter })).join('\n');
        t.match(plan, index);
        t.notMatch(plan, /^SCAN (?!.*\$\$by\$deprecated_at\$)/m, 'unless they are few');
      }
    });
  }

  await t.test('images that an account sees are merged from lists of which each has its index', async (t) => {
    const filters = [VISIBLE, and(VISIBLE, ACTIVE), and(ACTIVE, eq('type', 'zvol'), VISIBLE)];
    for (const filter of filters) {
      for (const page of pages) {
        const plan = (await store.planOf(BUCKET, { ...page, filter })).join('\n');
        t.match(plan, '$$by$owner$published_at (i_owner=?');
        t.match(plan, '$$by$public$activated$disabled$published_at (i_public=?');
        t.match(plan, '$acl USING COVERING INDEX imgapi_images$3$acl$$by$published_at (value=?');
        t.match(plan, '$grants USING COVERING INDEX imgapi_images$3$grants$$by$published_at (value=?');
        t.notMatch(plan, /^SCAN (?!\(subquery)/m);
      }
    }
  });

  await t.test('single objects are found by unique fields and keys', async (t) => {
    t.strictSame(await store.planOf(BUCKET, { filter: eq('urn', 'sdc:sdc:base:1') }), [
      'SEARCH imgapi_images$3 USING INDEX imgapi_images$3$$by$urn (i_urn=?)',
    ]);
    t.match(await store.planOf(BUCKET, { limit: 10, after: { value: null, key: 'k' } }), [
      /USING INDEX \S+ \(key>\?\)/,
    ]);
  });
});
