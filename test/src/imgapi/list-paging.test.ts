/**
 * Pages of a list: every image exactly once, whatever the ties and whatever happens meanwhile, by the links of version
 * 3 and by the markers of today's client.
 */
import { createRequire } from 'node:module';
import { type Test, test } from 'tap';
import type { ImageRecord } from '#lib/manifest/record.ts';
import type { Service } from '#src/service/service.ts';
import { ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { type Asker, asker } from './fixtures/ask.ts';
import { imageRecord, PUBLISHED, putRecords } from './fixtures/records.ts';

interface SdcImage {
  readonly uuid: string;
}

/** The part of Triton's own client that is used here. */
interface SdcImgapi {
  listImages(filters: object, callback: (error: Error | null, images: SdcImage[]) => void): void;
  close(): void;
}

const sdcClients = createRequire(import.meta.url)('sdc-clients') as {
  IMGAPI: new (options: { url: string; agent?: boolean }) => SdcImgapi;
};

const COUNT = 5000;

/** All of one moment: a third is Alice's own, a third public, a third shared with her by UUID, by login or by both. */
function tiedImages(): ImageRecord[] {
  const byLogin = { shares: [{ entry: 'alice', account: ALICE, shared_at: PUBLISHED }], grants: [ALICE] };
  const others: readonly Partial<ImageRecord>[] = [
    { public: true },
    { acl: [ALICE] },
    byLogin,
    { ...byLogin, acl: [ALICE], shares: [{ entry: ALICE }, ...byLogin.shares] },
    { public: true, acl: [ALICE] },
  ];
  return Array.from({ length: COUNT }, (_, i) =>
    imageRecord('active', i % 3 === 0 ? { owner: ALICE } : { owner: BOB, ...others[i % others.length] }),
  );
}

async function serverWith(t: Test, records: readonly ImageRecord[]): Promise<{ service: Service; url: string }> {
  const { imgapi, url } = await startInProcess(t);
  await putRecords(imgapi.service, records);
  return { service: imgapi.service, url };
}

function uuidsOf(records: readonly { readonly uuid: string }[]): string[] {
  return records.map(({ uuid }) => uuid);
}

/** Follows the links; `between` runs after each page. */
async function byLinks(ask: Asker, query: string, between?: (page: string[]) => Promise<void>): Promise<string[]> {
  const found: string[] = [];
  for (let path: string | undefined = `/images?${query}`; path !== undefined; ) {
    const answer = await ask(path, { headers: { 'accept-version': '~3' } });
    if (answer.status !== 200) throw new Error(answer.text);
    const page = uuidsOf(answer.json);
    found.push(...page);
    await between?.(page);
    const next = /^<([^>]+)>; rel="next"$/.exec(answer.headers['link'] ?? '')?.[1];
    path = next === undefined ? undefined : resolved(next, path);
  }
  return found;
}

/** As a client resolves it: against the request. */
function resolved(link: string, request: string): string {
  const { pathname, search } = new URL(link, new URL(request, 'http://server'));
  return pathname + search;
}

function sdcClient(t: Test, url: string): (filters: object) => Promise<SdcImage[]> {
  const client = new sdcClients.IMGAPI({ url, agent: false });
  t.teardown(() => client.close());
  return (filters) =>
    new Promise((resolve, reject) => {
      client.listImages(filters, (error, images) => (error ? reject(error) : resolve(images)));
    });
}

/** As Triton's tools do it: the last image is the next marker, and the first of each following page is dropped. */
async function byMarkers(
  list: (filters: object) => Promise<SdcImage[]>,
  filters: { readonly limit: number; readonly [name: string]: unknown },
  between?: (page: string[]) => Promise<void>,
): Promise<string[]> {
  const found: string[] = [];
  for (let marker: string | undefined; ; ) {
    const page = uuidsOf(await list({ ...filters, ...(marker === undefined ? {} : { marker }) }));
    const fresh = page[0] === marker ? page.slice(1) : page;
    found.push(...fresh);
    await between?.(fresh);
    marker = page.at(-1);
    if (page.length < filters.limit) return found;
  }
}

test('5,000 images of one moment come exactly once through links, in both orders, to operator and account', async (t) => {
  const records = tiedImages();
  const { url } = await serverWith(t, records);
  const ask = asker(t, url);
  const ascending = uuidsOf(records).sort();
  for (const order of ['asc', 'desc']) {
    const wanted = order === 'asc' ? ascending : ascending.toReversed();
    for (const limit of [97, 999, 1000, 2500, 5000, 5001]) {
      for (const account of ['', `&account=${ALICE}`]) {
        const found = await byLinks(ask, `limit=${limit}&sort=published_at.${order}${account}`);
        t.ok(found.join() === wanted.join(), `${found.length} in pages of ${limit}, ${order}${account}`);
      }
    }
  }
});

test("5,000 images of one moment come exactly once through the markers of Triton's own client", async (t) => {
  const records = tiedImages();
  const { url } = await serverWith(t, records);
  const list = sdcClient(t, url);
  const ascending = uuidsOf(records).sort();
  for (const account of [undefined, ALICE]) {
    const filter = account === undefined ? {} : { account };
    for (const limit of [500, 1000]) {
      for (const order of ['asc', 'desc']) {
        const found = await byMarkers(list, { ...filter, limit, sort: `published_at.${order}` });
        const wanted = order === 'asc' ? ascending : ascending.toReversed();
        t.ok(found.join() === wanted.join(), `${found.length} in pages of ${limit}, ${order}`);
      }
    }
    const all = uuidsOf(await list({ ...filter }));
    t.ok(all.join() === ascending.join(), 'and when the client pages by itself');
  }
});

test('a page has a link to the next one only when there is one, only in version 3, and it keeps the filters', async (t) => {
  const records = [1, 2, 3].map(() =>
    imageRecord('active', { name: 'a name', tags: ['k&=?=v?w'], tagsObj: { 'k&=?': 'v?w' } }),
  );
  const { url } = await serverWith(t, [...records, imageRecord('active')]);
  const ask = asker(t, url);
  const filters = `name=a%20name&tag.${encodeURIComponent('k&=?')}=v?w`;
  t.strictSame((await byLinks(ask, `${filters}&limit=2`)).sort(), uuidsOf(records).sort());
  const linkOf = async (limit: number, version: string): Promise<unknown> => {
    const answer = await ask(`/images?limit=${limit}`, { headers: { 'accept-version': version } });
    return answer.headers['link'];
  };
  t.match(await linkOf(3, '~3'), /^<\?limit=3&after=[\w-]+>; rel="next"$/);
  for (const limit of [0, 4, 5]) t.equal(await linkOf(limit, '~3'), undefined);
  for (const version of ['~1', '~2', '*']) t.equal(await linkOf(3, version), undefined);
});

test('images without a date are paged like all others', async (t) => {
  const records = Array.from({ length: 60 }, (_, i) => imageRecord(i % 2 === 0 ? 'unactivated' : 'active'));
  const { url } = await serverWith(t, records);
  const ask = asker(t, url);
  const list = sdcClient(t, url);
  for (const sort of ['published_at.asc', 'published_at.desc']) {
    for (const limit of [2, 3, 7, 30]) {
      for (const account of [undefined, ALICE]) {
        const wanted = uuidsOf(records).sort().join();
        const suffix = account === undefined ? '' : `&account=${account}`;
        const linked = await byLinks(ask, `state=all&sort=${sort}&limit=${limit}${suffix}`);
        t.equal(linked.sort().join(), wanted, `links, ${sort}, pages of ${limit}`);
        const filters = { state: 'all', sort, limit, ...(account === undefined ? {} : { account }) };
        const marked = await byMarkers(list, filters);
        t.equal(marked.sort().join(), wanted, `markers, ${sort}, pages of ${limit}`);
      }
    }
  }
});

/** Half of the images are dated apart, so that insertions fall before, into and after what was read. */
function spreadImages(): ImageRecord[] {
  return Array.from({ length: 300 }, (_, i) =>
    imageRecord('active', {
      owner: i % 2 === 0 ? ALICE : CAROL,
      public: i % 2 === 1,
      published_at: new Date(Date.parse(PUBLISHED) + Math.floor(i / 10) * 1000).toISOString(),
    }),
  );
}

for (const way of ['links', 'markers'] as const) {
  test(`what is there all along comes exactly once through ${way}, whatever is added meanwhile`, async (t) => {
    const records = spreadImages();
    const { service, url } = await serverWith(t, records);
    const ask = asker(t, url);
    const list = sdcClient(t, url);
    for (const order of ['asc', 'desc']) {
      for (const account of [undefined, ALICE]) {
        const added = new Set<string>();
        const insert = async (): Promise<void> => {
          const some = spreadImages().filter((_, i) => i % 29 === 0);
          for (const { uuid } of some) added.add(uuid);
          await putRecords(service, some);
        };
        const sort = `published_at.${order}`;
        const suffix = account === undefined ? '' : `&account=${account}`;
        const found =
          way === 'links'
            ? await byLinks(ask, `limit=40&sort=${sort}${suffix}`, insert)
            : await byMarkers(list, { limit: 40, sort, ...(account === undefined ? {} : { account }) }, insert);
        t.equal(new Set(found).size, found.length, 'none twice');
        const stayed = found.filter((uuid) => !added.has(uuid));
        for (const { uuid } of records) if (!stayed.includes(uuid)) t.fail(`${uuid} was left out, ${order}`);
        t.ok(
          found.some((uuid) => added.has(uuid)),
          'and some of what was added ahead',
        );
      }
    }
  });
}

test('a link goes on behind its place when the image there is gone', async (t) => {
  const records = spreadImages();
  const { service, url } = await serverWith(t, records);
  const ask = asker(t, url);
  const found = await byLinks(ask, 'limit=10', async (page) => {
    const last = records.find(({ uuid }) => uuid === page.at(-1));
    if (last) await putRecords(service, [imageRecord('tombstone', { uuid: last.uuid, owner: last.owner! })]);
  });
  t.equal(found.sort().join(), uuidsOf(records).sort().join());
});

test('a page is full though some of what is stored is not shown, or a client would take it for the last', async (t) => {
  const records = Array.from({ length: 100 }, (_, i) =>
    imageRecord('active', i % 3 === 0 ? { name: 'not/a*name' } : {}),
  );
  const { url } = await serverWith(t, records);
  const ask = asker(t, url);
  const list = sdcClient(t, url);
  const wanted = uuidsOf(records.filter(({ name }) => name === 'an-image')).sort();
  for (const limit of [1, 2, 5, 10, 66]) {
    const answer = await ask(`/images?limit=${limit}`);
    t.equal(answer.json.length, limit);
    t.equal((await byLinks(ask, `limit=${limit}`)).join(), wanted.join(), `links, pages of ${limit}`);
    if (limit === 1) continue;
    t.equal((await byMarkers(list, { limit })).join(), wanted.join(), `markers, pages of ${limit}`);
  }
});
