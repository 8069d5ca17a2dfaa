/** What ListImages refuses, and in which order; sorting, limits and markers. */
import { randomUUID } from 'node:crypto';
import { test } from 'tap';
import { ALICE, BOB } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Answer, asker } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';

/** In the order in which they are looked at. */
const BAD: Readonly<Record<string, readonly string[]>> = {
  account: ['account=me', `account=${ALICE.toUpperCase()}`, 'account=', `account=${ALICE}&account=${ALICE}`],
  limit: ['limit=x', 'limit=NaN', 'limit=1,5', 'limit=1&limit=2'],
  state: ['state=x', 'state=ACTIVE', 'state=deleting', 'state=all&state=all', 'state=__proto__'],
  public: ['public=x', 'public=1', 'public=', 'public=TRUE', 'public=true&public=true'],
  sort: ['sort=name', 'sort=name.asc', 'sort=.desc', 'sort=-published_at', 'sort=published_at&sort=published_at'],
  marker: ['marker=soon', `marker=${ALICE.toUpperCase()}`],
};

function isAbout(answer: Answer, field: string): boolean {
  return answer.status === 422 && answer.json.code === 'InvalidParameter' && answer.json.errors[0].field === field;
}

test('each bad parameter is a 422 that names it', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const others = [
    ['shared', 'shared=x'],
    ['owner', 'owner=a&owner=b'],
    ['name', 'name=a&name=b'],
    ['version', 'version=a&version=b'],
    ['os', 'os=a&os=b'],
    ['type', 'type=a&type=b'],
    ['name', `name=${'a'.repeat(5000)}`],
    ['after', 'after=x'],
    ...['[1,2]', '["2026-01-02T03:04:05Z\\u0000",""]', '["x","y"]', '[null,"\\u0000"]'].map((place) => [
      'after',
      `after=${Buffer.from(place).toString('base64url')}`,
    ]),
    ['marker', 'marker=%2B010000-01-01T00:00:00Z'],
    ['inclAdminFields', 'inclAdminFields=1'],
  ] as const;
  const bad = Object.entries(BAD).flatMap(([field, queries]) => queries.map((query) => [field, query] as const));
  for (const [field, query] of [...bad, ...others]) {
    const answer = await ask(`/images?${query}`, { headers: { 'accept-version': '~3' } });
    t.ok(isAbout(answer, field), `${query.slice(0, 60)}: ${answer.status} ${answer.text.slice(0, 200)}`);
    t.ok(answer.text.length < 6000);
  }
});

test('of two bad parameters the first in order is named: account, limit, state, public, sort, marker', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const fields = Object.keys(BAD);
  for (const [i, first] of fields.entries()) {
    for (const second of fields.slice(i + 1)) {
      const query = `${BAD[second]![0]}&${BAD[first]![0]}`;
      t.ok(isAbout(await ask(`/images?${query}`), first), query);
    }
    if (first === 'marker') continue;
    const unknown = await ask(`/images?marker=${randomUUID()}&${BAD[first]![0]}`);
    t.ok(isAbout(unknown, first), `${first} before a marker that is not there`);
  }
});

test('a hundred thousand parameters are refused, not read', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const query = Array.from({ length: 1500 }, (_, i) => `a${i}=`).join('&');
  const answer = await ask(`/images?${query}`);
  t.equal(answer.status, 400);
  t.equal(answer.json.code, 'BadRequest');
});

test('twenty filters are taken, more are a 422, and however many there are nothing is left out', async (t) => {
  const { url } = await startInProcess(t);
  const ask = asker(t, url);
  const tags = (count: number, name = 'tag.a'): string => Array.from({ length: count }, () => `${name}=`).join('&');
  t.strictSame((await ask(`/images?${tags(20)}`)).json, []);
  t.strictSame(
    (await ask(`/images?${tags(18)}&name=a&os=linux&limit=3&state=all`)).json,
    [],
    'no filters: limit, state',
  );
  for (const query of [tags(21), tags(20, 'billing_tag').concat('&name=x'), tags(19).concat('&name=~x&type=!y')]) {
    const answer = await ask(`/images?${query}`);
    t.ok(isAbout(answer, query.split('=', 1)[0] ?? ''), answer.text);
    t.match(answer.json.message, /there are 21 filters.*at most 20/);
  }
  for (const count of [600, 994, 998, 999, 1000, 1001, 1500, 2200]) {
    t.ok(isAbout(await ask(`/images?${tags(count)}`), 'tag.a'), `${count} filters`);
    const differing = Array.from({ length: Math.min(count, 900) }, (_, i) => `tag.${i}=x`).join('&');
    t.ok(isAbout(await ask(`/images?${differing}`), 'tag.0'), `${count} filters by other tags`);
  }
  // What stands behind so many parameters counts as well.
  const last = await ask(`/images?${tags(2000)}&limit=x`);
  t.ok(isAbout(last, 'limit'), last.text);
});

const DATES = [
  '2020-01-01T00:00:00.000Z',
  '2020-01-01T00:00:00.500Z',
  '2021-01-01T00:00:00Z',
  '2021-06-01T00:00:00.001Z',
  '2022-01-01T00:00:00.000Z',
] as const;

/** Two of each date, and two that have none. */
function dated() {
  const active = [...DATES, ...DATES].map((published_at) => imageRecord('active', { published_at }));
  return [...active, imageRecord('unactivated'), imageRecord('unactivated')];
}

type Dated = ReturnType<typeof dated>[number];

function inOrder(a: Dated, b: Dated): number {
  const time = (record: Dated) => (record.published_at === undefined ? 0 : Date.parse(record.published_at));
  return time(a) - time(b) || (a.uuid < b.uuid ? -1 : 1);
}

test('images come by date, then UUID, and those without a date as the oldest', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const records = dated();
  await putRecords(imgapi.service, records);
  const ascending = records.toSorted(inOrder).map(({ uuid }) => uuid);
  const descending = ascending.toReversed();
  const sorts: readonly (readonly [string, readonly string[]])[] = [
    ['', ascending],
    ['&sort=published_at', ascending],
    ['&sort=published_at.asc', ascending],
    ['&sort=published_at.ASC', ascending],
    ['&sort=published_at.desc', descending],
    ['&sort=published_at.DESC', descending],
    ['&sort=published_at.whatever', descending],
  ];
  for (const account of ['', `&account=${ALICE}`]) {
    for (const [sort, wanted] of sorts) {
      for (const limit of [0, 1, 2, 5, 11, 12, 13]) {
        const answer = await ask(`/images?state=all&limit=${limit}${sort}${account}`);
        const got = answer.json.map(({ uuid }: { uuid: string }) => uuid);
        t.strictSame(got, limit === 0 ? wanted : wanted.slice(0, limit), `limit=${limit}${sort}${account}`);
      }
    }
  }
});

test('a marker is where the list begins, itself included: an image, or a date in any form', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const records = dated();
  await putRecords(imgapi.service, records);
  const ascending = records.toSorted(inOrder);
  for (const order of ['asc', 'desc'] as const) {
    const all = order === 'asc' ? ascending : ascending.toReversed();
    for (const account of ['', `&account=${ALICE}`]) {
      const list = async (marker: string): Promise<string[]> => {
        const answer = await ask(`/images?state=all&sort=published_at.${order}&marker=${marker}${account}`);
        return answer.json.map(({ uuid }: { uuid: string }) => uuid);
      };
      for (const [i, { uuid }] of all.entries()) {
        const wanted = all.slice(i).map((record) => record.uuid);
        t.strictSame(await list(uuid), wanted, `${order} from ${i}${account}`);
      }
      for (const date of [...DATES, '2020-06-01', '2021-01-01T01:00:00%2B01:00', '1999-01-01', '2030-01-01']) {
        const start = Date.parse(decodeURIComponent(date));
        const wanted = all.filter(({ published_at }) => {
          const time = published_at === undefined ? 0 : Date.parse(published_at);
          return order === 'asc' ? time >= start : time <= start;
        });
        t.strictSame(
          await list(date),
          wanted.map(({ uuid }) => uuid),
          `${order} from ${date}${account}`,
        );
      }
    }
  }
});

test('a marker that is not there, or hidden from the account, is the same 404', async (t) => {
  const { imgapi, url } = await startInProcess(t);
  const ask = asker(t, url);
  const hidden = imageRecord('active');
  const gone = imageRecord('tombstone');
  await putRecords(imgapi.service, [hidden, gone]);
  const absent = randomUUID();
  for (const marker of [hidden.uuid, gone.uuid, absent]) {
    const answer = await ask(`/images?marker=${marker}&account=${BOB}`);
    t.equal(answer.status, 404);
    t.strictSame(answer.json, { code: 'ResourceNotFound', message: `image "${marker}" not found` });
  }
  t.equal((await ask(`/images?marker=${hidden.uuid}`)).status, 200, 'to an operator it is there');
});
