/** The lists that the service asks for, by what they are. */
import type { Bucket, Filter, Query, Scalar } from '#lib/documents/store.ts';
import { IMAGES } from '#lib/manifest/record.ts';

export const BUCKET: Bucket = IMAGES;
export const ACCOUNT = 'a820621a-5007-4a2a-9636-edde809106de';

const eq = (field: string, value: Scalar): Filter => ({ op: 'eq', field, value });
const has = (field: string, value: Scalar): Filter => ({ op: 'contains', field, value });
const and = (...of: Filter[]): Filter => ({ op: 'and', of });

const MINE = eq('owner', ACCOUNT);
const ACTIVE = and(eq('activated', true), eq('disabled', false));
const PUBLIC = and(eq('public', true), eq('activated', true), eq('disabled', false));
const BY_UUID = and(has('acl', ACCOUNT), eq('public', false), eq('activated', true));
const BY_LOGIN = has('grants', ACCOUNT);
const DEPRECATED: Filter = { op: 'exists', field: 'deprecated_at' };
const VISIBLE: Filter = { op: 'or', of: [MINE, PUBLIC, BY_UUID, BY_LOGIN] };

const FILTERS: Readonly<Record<string, Filter | undefined>> = {
  'all images': undefined,
  'active images': ACTIVE,
  'public images': PUBLIC,
  'images of an owner': MINE,
  'images with a name': eq('name', 'name77'),
  'images with a part of a name': { op: 'substring', field: 'name', value: 'name77' },
  'images shared by UUID': BY_UUID,
  'images shared by login': BY_LOGIN,
  'what an account sees': VISIBLE,
  'what an account sees, active and of a type': and(VISIBLE, eq('state', 'active'), eq('type', 'zvol')),
  'what an account sees, with a name': and(VISIBLE, eq('name', 'name77')),
  'images with a tag': has('tags', 'role=7'),
  'images with a tag that begins so': { op: 'containsPrefix', field: 'tags', value: 'role=1' },
  'public images with a tag': and(PUBLIC, has('tags', 'role=7')),
  'images of an owner with a tag': and(MINE, has('tags', 'role=7')),
  'images in a channel': has('channels', 'dev'),
  'deprecated images': and(ACTIVE, DEPRECATED),
  'deprecated images that an account sees': and(VISIBLE, DEPRECATED),
  'images that build on one': eq('origin', ACCOUNT),
  'images that are being deleted': eq('state', 'deleting'),
};

const sort = { field: 'published_at', order: 'desc' } as const;
const after = { value: '2021-01-01T00:00:00.000Z', key: ACCOUNT };

export const QUERIES: readonly (readonly [name: string, query: Query])[] = Object.entries(FILTERS).flatMap(
  ([name, filter]) => {
    const query = { sort, limit: 20, ...(filter !== undefined && { filter }) };
    return [
      [`${name}: the first page`, query],
      [`${name}: a later page`, { ...query, after }],
    ] as const;
  },
);
