/** Every filter of ListImages against a plain reading of what it means, over images that differ in all of it. */
import { test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker, combinations, forEach } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

const LONG = 'x'.repeat(150);
const ALSO_LONG = 'y'.repeat(150);

type Tags = Readonly<Record<string, unknown>>;

const TAGS: readonly Tags[] = [
  {},
  { role: 'db' },
  { role: 'web', tier: 1 },
  { role: '', tier: true },
  { role: LONG },
  { role: ALSO_LONG, tier: { deep: 'value' } },
  { 'role=db': 'x', roles: 'db' },
  { role: 'db', tier: '1' },
];
const NAMES = ['base', 'base-64', 'my_base', 'Base', 'other name'];
const OF_VERSIONS = ['1.0.0', '1.0.0-rc1', '21.4.0', '1+0'];
const OSES = ['smartos', 'linux', 'other'] as const;
const BILLING: readonly (readonly string[])[] = [[], ['xl'], ['xl', 'ssd'], ['ssd']];

/** What is stored: the strings that a tag is searched by, and the tags themselves. */
function stored(tags: Tags): Pick<ImageRecord, 'tags' | 'tagsObj'> {
  if (Object.keys(tags).length === 0) return {};
  const strings = Object.entries(tags).map(([key, value]) => {
    const isShort = typeof value !== 'object' && String(value).length <= 100;
    return `${key}=${isShort ? String(value) : ''}`;
  });
  return { tags: strings, tagsObj: tags };
}

const ZVOL = { type: 'zvol', nic_driver: 'virtio', disk_driver: 'virtio', cpu_type: 'host', image_size: 10 } as const;
const TYPES: readonly Partial<ImageRecord>[] = [
  { type: 'zone-dataset' },
  { type: 'lx-dataset' },
  ZVOL,
  { type: 'docker' },
];

const pick = <T>(list: readonly T[], i: number): T => list[i % list.length]!;

/** Steps that share no factor, so that every value meets every other. */
const RECORDS = Array.from({ length: 420 }, (_, i) => {
  const billing = pick(BILLING, i);
  return imageRecord(i % 11 === 0 ? 'disabled' : 'active', {
    name: pick(NAMES, i),
    version: pick(OF_VERSIONS, Math.floor(i / 5)),
    os: pick(OSES, Math.floor(i / 7)),
    owner: pick([ALICE, BOB], Math.floor(i / 3)),
    public: i % 13 < 5,
    ...pick(TYPES, Math.floor(i / 2)),
    ...stored(pick(TAGS, Math.floor(i / 4))),
    ...(billing.length > 0 ? { billing_tags: billing } : {}),
    ...(i % 17 === 0 ? { acl: [CAROL] } : {}),
  });
});

type Matches = (record: ImageRecord) => boolean;

function tagOf({ tagsObj = {} }: ImageRecord, key: string): unknown {
  return tagsObj[key];
}

const FILTERS: readonly (readonly [query: string, matches: Matches])[] = [
  ['name=base', ({ name }) => name === 'base'],
  ['name=~base', ({ name }) => name.includes('base')],
  ['name=~_', ({ name }) => name.includes('_')],
  ['name=~%25', () => false],
  ['name=~', () => true],
  ['name=other%20name', ({ name }) => name === 'other name'],
  ['name=nothing', () => false],
  ['version=1.0.0', ({ version }) => version === '1.0.0'],
  ['version=~1.0', ({ version }) => version.includes('1.0')],
  ['version=1%2B0', ({ version }) => version === '1+0'],
  ['type=zvol', ({ type }) => type === 'zvol'],
  ['type=!docker', ({ type }) => type !== 'docker'],
  ['type=nothing', () => false],
  ['type=!nothing', () => true],
  ['os=linux', ({ os }) => os === 'linux'],
  [`owner=${BOB}`, ({ owner }) => owner === BOB],
  [`owner=${ALICE}`, ({ owner }) => owner === ALICE],
  ['public=true', (record) => record.public],
  ['public=false', (record) => !record.public],
  ['tag.role=db', (record) => tagOf(record, 'role') === 'db'],
  ['tag.role=', (record) => tagOf(record, 'role') !== undefined],
  ['tag.tier=1', (record) => String(tagOf(record, 'tier')) === '1'],
  ['tag.tier=true', (record) => tagOf(record, 'tier') === true],
  ['tag.tier=', (record) => tagOf(record, 'tier') !== undefined],
  ['tag.role=db&tag.tier=1', (record) => tagOf(record, 'role') === 'db' && tagOf(record, 'tier') === '1'],
  ['tag.role=db&tag.role=web', () => false],
  [`tag.role=${LONG}`, (record) => tagOf(record, 'role') === LONG],
  ['tag.role%3Ddb=x', (record) => tagOf(record, 'role=db') === 'x'],
  ['tag.nothing=', () => false],
  ['tag.=', () => true],
  ['billing_tag=xl', ({ billing_tags = [] }) => billing_tags.includes('xl')],
  ['billing_tag=xl&billing_tag=ssd', ({ billing_tags = [] }) => billing_tags.join() === 'xl,ssd'],
  ['billing_tag=nothing', () => false],
  ['unknown=parameter', () => true],
];

const STATES: readonly (readonly [query: string, matches: Matches])[] = [
  ['', ({ disabled }) => !disabled],
  ['state=active', ({ disabled }) => !disabled],
  ['state=disabled', ({ disabled }) => disabled],
  ['state=all', () => true],
];

/** The rule of the IMGAPI docs: own images, public ones, shared ones; of others none in state "disabled". */
function isVisible(record: ImageRecord, account: string, state: string): boolean {
  if (record.owner === account) return true;
  if (state === 'state=disabled') return false;
  return record.public || record.acl?.includes(account) === true;
}

test('each filter selects what it says, in every state, for operators and accounts, alone and with another', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  await putRecords(imgapi.service, RECORDS);
  const pairs = FILTERS.map((filter, i) => [filter, FILTERS[(i * 7 + 5) % FILTERS.length]!] as const);
  const alone = FILTERS.map((filter) => [filter] as const);
  const requests = combinations({
    filters: [...alone, ...pairs.filter(([[one], [other]]) => one.split('=')[0] !== other.split('=')[0])],
    state: STATES,
    account: [undefined, ALICE, CAROL],
  });
  const wrong: unknown[] = [];
  let matched = 0;
  await forEach(requests, async ({ filters, state: [stateQuery, inState], account }) => {
    const query = [...filters.map(([text]) => text), stateQuery, account === undefined ? '' : `account=${account}`];
    const path = `/images?${query.filter((part) => part !== '').join('&')}`;
    const answer = await ask(path);
    const wanted = RECORDS.filter(
      (record) =>
        inState(record) &&
        filters.every(([, matches]) => matches(record)) &&
        (account === undefined || isVisible(record, account, stateQuery)),
    ).map(({ uuid }) => uuid);
    if (answer.status !== 200) {
      wrong.push({ path, got: answer.text });
      return;
    }
    const got = (answer.json as { uuid: string }[]).map(({ uuid }) => uuid);
    matched += got.length;
    if (got.sort().join() !== wanted.sort().join()) wrong.push({ path, wanted: wanted.length, got: got.length });
  });
  t.strictSame(wrong, []);
  t.ok(matched > 10_000, 'there was something to find');
});

test('shared=true lists what others shared with the account, shared=false everything else, and only in version 3', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const login = {
    shares: [{ entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' }],
    grants: [CAROL],
  };
  const records = {
    own: imageRecord('active', { owner: CAROL, acl: [CAROL] }),
    'own, disabled': imageRecord('disabled', { owner: CAROL }),
    'public and shared': imageRecord('active', { public: true, acl: [CAROL] }),
    public: imageRecord('active', { public: true }),
    'by uuid': imageRecord('active', { acl: [CAROL] }),
    'by login': imageRecord('active', login),
    'by both': imageRecord('active', { ...login, acl: [CAROL], shares: [{ entry: CAROL }, ...login.shares] }),
    'by bob': imageRecord('active', { owner: BOB, acl: [CAROL] }),
    'shared, disabled': imageRecord('disabled', { acl: [CAROL] }),
    'shared, unactivated': imageRecord('unactivated', { acl: [CAROL] }),
    'not shared': imageRecord('active', { acl: [BOB] }),
  };
  await putRecords(imgapi.service, Object.values(records));
  const nameOf = new Map(Object.entries(records).map(([name, { uuid }]) => [uuid, name]));
  const SHARED = ['by uuid', 'by login', 'by both', 'by bob'];
  const table: readonly (readonly [query: string, names: readonly string[]])[] = [
    [`shared=true&account=${CAROL}`, SHARED],
    [`shared=true&account=${CAROL}&state=all`, [...SHARED, 'shared, disabled']],
    [`shared=true&account=${CAROL}&state=disabled`, []],
    [`shared=true&account=${CAROL}&state=unactivated`, []],
    [`shared=true&account=${CAROL}&owner=${BOB}`, ['by bob']],
    [`shared=true&account=${CAROL}&owner=${CAROL}`, []],
    [`shared=true&account=${CAROL}&public=true`, []],
    [`shared=true&account=${CAROL}&public=false`, SHARED],
    [`shared=false&account=${CAROL}`, ['own', 'public and shared', 'public']],
    [`shared=false&account=${CAROL}&state=all`, ['own', 'own, disabled', 'public and shared', 'public']],
    [`shared=false&account=${CAROL}&owner=${ALICE}`, ['public and shared', 'public']],
    [`shared=true&account=${ALICE}`, []],
    ['shared=true', []],
    ['shared=false', ['own', 'public and shared', 'public', ...SHARED, 'not shared']],
  ];
  for (const [query, names] of table) {
    const answer = await ask(`/images?${query}`, { headers: { 'accept-version': '~3' } });
    const got = (answer.json as { uuid: string }[]).map(({ uuid }) => nameOf.get(uuid));
    t.strictSame(got.toSorted(), [...names].toSorted(), query);
  }
  for (const version of ['~1', '~2', '*']) {
    const answer = await ask(`/images?shared=true&account=${CAROL}`, { headers: { 'accept-version': version } });
    t.equal(answer.status, 422);
    t.equal(answer.json.errors[0].field, 'Accept-Version');
  }
});

test('inclAdminFields shows where each file is stored, in lists and images, and is no part of the tag', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const record = imageRecord('active');
  await putRecords(imgapi.service, [record]);
  for (const path of ['/images', `/images/${record.uuid}`]) {
    const storOf = async (query: string) => {
      const { json } = await ask(`${path}${query}`);
      return [json].flat()[0].files[0].stor;
    };
    t.equal(await storOf('?inclAdminFields=true'), 'local');
    t.equal(await storOf('?inclAdminFields=false'), undefined);
    t.equal(await storOf(''), undefined);
    const bad = await ask(`${path}?inclAdminFields=yes`);
    t.equal(bad.status, 422);
    t.match(bad.json, { code: 'InvalidParameter', errors: [{ field: 'inclAdminFields', code: 'Invalid' }] });
  }
  const [plain, admin] = await Promise.all(
    ['', '?inclAdminFields=true'].map((query) => ask(`/images/${record.uuid}${query}`)),
  );
  t.equal(plain?.headers['etag'], admin?.headers['etag']);
});

test('a record that is no valid image is left out, and so is nothing else', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const good = imageRecord('active');
  await putRecords(imgapi.service, [good, imageRecord('active', { name: 'not/a*name' })]);
  const list = await ask('/images');
  t.strictSame(
    list.json.map(({ uuid }: { uuid: string }) => uuid),
    [good.uuid],
  );
  t.equal(list.text, JSON.stringify(list.json, null, 2));
  t.equal((await ask('/images?name=nothing')).text, '[]');
});
