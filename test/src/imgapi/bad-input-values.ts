/** What nobody expects in a query or in a body. */
import { MANIFEST_FIELDS, RECORD_ONLY_FIELDS } from '#lib/manifest/fields.ts';
import { ALICE } from '../../helpers/accounts.ts';

/** Percent-encoded. */
export const VALUES = [
  '',
  'null',
  'true',
  '0',
  '-1',
  '1e999',
  '9'.repeat(40),
  'NaN',
  '%5B%5D',
  '%7B%22a%22%3A1%7D',
  '%00',
  'a%00b',
  '%FF%FE',
  '%ED%A0%80',
  '%F0%9F%98%80',
  "'%3B%20drop%20table%20imgapi_images%3B--",
  '%25%5F',
  '__proto__',
  'constructor',
  '..%2F..%2Fetc%2Fpasswd',
  '%0d%0aSet-Cookie%3A%20a',
  '*',
  '~',
  '!',
  'a'.repeat(5000),
  ALICE,
  ALICE.toUpperCase(),
];

/** All that any route takes, and more. */
export const PARAMETERS = [
  ...[
    'account',
    'action',
    'channel',
    'inclAdminFields',
    'limit',
    'marker',
    'after',
    'sort',
    'shared',
    'force_all_channels',
  ],
  ...[
    'owner',
    'state',
    'name',
    'version',
    'os',
    'type',
    'public',
    'billing_tag',
    'tag.a',
    'tag.',
    'index',
    'compression',
  ],
  ...[
    'sha1',
    'storage',
    'dataset_guid',
    'source',
    'datacenter',
    'do_not_restart',
    'dry_run',
    'plan',
    'skip_owner_check',
  ],
  ...[
    'manta_path',
    'stor',
    'renew',
    'task',
    'execution',
    'uuid',
    'repair',
    'drop',
    'error',
    'expires',
    'signature',
    '__proto__',
  ],
];

/** Of bodies. */
export const FIELDS = [
  ...MANIFEST_FIELDS,
  ...RECORD_ONLY_FIELDS,
  ...['creator_uuid', 'restricted_to_uuid', 'published', '', '__proto__', 'constructor', 'a.b', 'a\u0000b'],
];

const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)]);

export const JSON_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  0.5,
  '',
  'x',
  'a\u0000b',
  '\ud800',
  '😀',
  '../../etc/passwd',
  'x'.repeat(20_000),
  [],
  [null],
  [[]],
  [{}],
  ['x', 1, null],
  {},
  { toString: 1, valueOf: 2, length: 3 },
  { a: null, '': {}, '\u0000': 1, constructor: 1 },
  deep(60),
  deep(99),
];
