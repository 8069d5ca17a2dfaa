import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import {
  copyRequest,
  DECISIONS,
  decide,
  LOCAL_RECORDS,
  type LocalRecord,
  localRecord,
  OUTCOMES,
  type Outcome,
  REQUESTS,
  type Request,
  refusal,
} from '#src/copies/orders/decision.ts';
import { ALICE, BOB } from '../../../helpers/accounts.ts';
import { unactivatedRecord } from '../../../helpers/records.ts';

/** The table of docs/design.md §6, written once more: none, live, failed, usable, other. */
const EXPECTED: Readonly<Record<Request, readonly Outcome[]>> = {
  copy: ['new-order', 'attach', 'new-attempt', 'recopy', 'exists'],
  'copy-other-hash': ['impossible', 'exists', 'drop-bytes', 'exists', 'exists'],
  'copy-other-owner': ['impossible', 'exists', 'replace-placeholder', 'exists', 'exists'],
  'do-not-restart': ['not-found', 'attach', 'last-result', 'last-result', 'not-found'],
  import: ['new-order', 'attach', 'new-attempt', 'exists', 'exists'],
  cancel: ['not-found', 'canceled', 'not-found', 'not-found', 'not-found'],
  delete: ['not-found', 'canceled-by-delete', 'remove-placeholder', 'as-usual', 'as-usual'],
  change: ['not-found', 'in-progress', 'copy-failed', 'as-usual', 'as-usual'],
  'admin-import': ['as-usual', 'exists', 'replace-placeholder', 'exists', 'as-usual'],
};

const BASE = unactivatedRecord('0965c1f4-6995-c095-ecb5-c1a80be2b08e', ALICE, {
  state: 'active',
  activated: true,
  files: [
    {
      sha1: 'a'.repeat(40),
      size: 1,
      contentMD5: '',
      mtime: '2026-01-01T00:00:00Z',
      stor: 'local',
      compression: 'none',
    },
  ],
});

/** Every record that there can be, under the column it belongs to when Alice asks. */
const RECORDS: readonly (readonly [LocalRecord, string, ImageRecord | undefined])[] = [
  ['none', 'no record', undefined],
  ['none', 'a tombstone', { ...BASE, state: 'deleting' }],
  ['live', 'a placeholder under way', placeholder('live')],
  ['live', "somebody else's placeholder under way", { ...placeholder('live'), owner: BOB }],
  ['failed', 'a failed placeholder', placeholder('failed')],
  ['failed', "somebody else's failed placeholder", { ...placeholder('failed'), owner: BOB }],
  ['usable', 'an active image', BASE],
  ['usable', 'a disabled image', { ...BASE, state: 'disabled', disabled: true }],
  ['other', "somebody else's image", { ...BASE, owner: BOB }],
  ['other', 'an unactivated image', { ...BASE, state: 'unactivated', activated: false }],
  ['other', 'an image that is being created here', { ...BASE, state: 'creating', activated: false }],
  ['other', 'an image whose creation failed', { ...BASE, state: 'failed', activated: false }],
];

function placeholder(state: 'live' | 'failed'): ImageRecord {
  const copy = { state, datacenter: 'us-east-1', sha1: 'a'.repeat(40), size: 1 };
  return { ...BASE, files: [], activated: false, state: state === 'live' ? 'creating' : 'failed', copy };
}

for (const [column, what, record] of RECORDS) {
  for (const request of REQUESTS) {
    const outcome = EXPECTED[request][LOCAL_RECORDS.indexOf(column)]!;
    test(`${request} on ${what}: ${OUTCOMES[outcome]}`, async (t) => {
      t.equal(decide(record, ALICE, request), outcome);
      t.equal(DECISIONS[request][column], outcome);
    });
  }
}

test('every image is usable to an operator who may change it', async (t) => {
  t.equal(localRecord({ ...BASE, owner: BOB }, undefined), 'usable');
  t.equal(localRecord({ ...BASE, state: 'unactivated', activated: false }, undefined), 'other');
});

test('what the source says picks the row of a copy', async (t) => {
  const alices = { account: ALICE, owner: ALICE, sha1: 'a'.repeat(40) };
  t.equal(copyRequest('copy', undefined, alices), 'copy');
  t.equal(copyRequest('import', undefined, alices), 'import');
  t.equal(copyRequest('copy', BASE, alices), 'copy');
  t.equal(copyRequest('copy', BASE, { ...alices, sha1: 'b'.repeat(40) }), 'copy-other-hash');
  t.equal(copyRequest('import', placeholder('failed'), { ...alices, sha1: 'b'.repeat(40) }), 'copy-other-hash');
  t.equal(copyRequest('copy', placeholder('failed'), { ...alices, account: BOB, owner: BOB }), 'copy-other-owner');
  t.equal(copyRequest('copy', { ...BASE, state: 'deleting' }, { ...alices, account: BOB, owner: BOB }), 'copy');
});

test('every refusal has its own answer', async (t) => {
  t.match(refusal('not-found', BASE.uuid), { code: 'ResourceNotFound', statusCode: 404 });
  t.match(refusal('exists', BASE.uuid), { code: 'ImageUuidAlreadyExists', statusCode: 409 });
  t.match(refusal('in-progress', BASE.uuid), { code: 'ImageCopyInProgress', statusCode: 409 });
  t.match(refusal('copy-failed', BASE.uuid), { code: 'ImageCopyFailed', statusCode: 409 });
});
