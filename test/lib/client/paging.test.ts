import { test } from 'tap';
import type { Image } from '#lib/api/schemas/image.ts';
import { nextLink } from '#lib/client/paging.ts';
import { clientOf, failure, type Received, sendJson, serve } from './server.ts';

type Listed = Pick<Image, 'uuid' | 'published_at'>;

function images(count: number, publishedAt: (n: number) => string | undefined): Listed[] {
  return Array.from({ length: count }, (_, n) => {
    const published_at = publishedAt(n);
    return { uuid: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`, ...(published_at && { published_at }) };
  });
}

const second = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString();

/** Pages as today's IMGAPI: inclusive marker, ties in the order of the database, a cap that it does not tell. */
function todaysPage(all: readonly Listed[], { query }: Received, cap = 1000): Listed[] {
  const marker = query['marker'] === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query['marker']);
  const time = ({ published_at }: Listed) => (published_at === undefined ? 0 : Date.parse(published_at));
  const sign = query['sort'] === 'published_at.desc' ? -1 : 1;
  const from = query['marker'] === undefined ? marker : sign * marker;
  return [...all]
    .sort((a, b) => sign * (time(a) - time(b)))
    .filter((image) => sign * time(image) >= from)
    .slice(0, Math.min(cap, Number(query['limit'] ?? cap)));
}

async function collect(list: AsyncIterable<Image>): Promise<string[]> {
  const uuids: string[] = [];
  for await (const { uuid } of list) uuids.push(uuid);
  return uuids;
}

const CASES: readonly [string, Listed[]][] = [
  ['no image', []],
  ['one image', images(1, second)],
  ['exactly a page', images(10, second)],
  ['exactly two pages', images(20, second)],
  ['many pages', images(95, second)],
  ['pairs of one instant', images(55, (n) => second(n >> 1))],
  ['more of one instant than a page holds', images(70, (n) => second(n < 20 || n > 60 ? n : 20))],
  ['nothing but one instant', images(45, () => second(0))],
  ['exactly a page of one instant', images(10, () => second(0))],
  ['unpublished images first', images(60, (n) => (n < 25 ? undefined : second(n)))],
];

for (const [what, all] of CASES) {
  for (const sort of [undefined, 'published_at.desc']) {
    test(`${what}${sort ? ', descending,' : ''}: every image is listed once by markers`, async (t) => {
      const server = await serve(t, (_, response, received) => sendJson(response, 200, todaysPage(all, received)));
      const client = clientOf(t, server.url, { version: '~2' });
      const listed = await collect(client.listAll({ state: 'all', ...(sort && { sort }) }, { pageSize: 10 }));
      t.equal(listed.length, all.length);
      t.strictSame([...listed].sort(), all.map(({ uuid }) => uuid).sort());
      t.ok(server.received.every(({ query }) => query['state'] === 'all'));
    });
  }
}

test('images of an instant that the server cuts off are an error, not a silence', async (t) => {
  const all = images(1500, () => second(0));
  const server = await serve(t, (_, response, received) => sendJson(response, 200, todaysPage(all, received)));
  const error = await failure(collect(clientOf(t, server.url, { version: '~2' }).listAll()));
  t.match(error, { code: 'InvalidAnswer', message: /1000 images with the same published_at/ });
});

test('links to the next page are followed, on the server that we know', async (t) => {
  const all = images(25, () => second(0));
  const server = await serve(t, (_, response, { query }) => {
    const start = Number(query['cursor'] ?? 0);
    const more = start + 10 < all.length;
    const link = `<http://elsewhere.example.com/other?cursor=${start + 10}&name=~a%20b>; rel="next"`;
    sendJson(response, 200, all.slice(start, start + 10), more ? { link } : {});
  });
  const listed = await collect(clientOf(t, server.url).listAll({ name: '~a b' }, { pageSize: 10 }));
  t.strictSame(
    listed,
    all.map(({ uuid }) => uuid),
  );
  t.strictSame(
    server.received.map(({ path, query }) => [path, query['cursor'], query['name'], query['limit']]),
    [
      ['/images', undefined, '~a b', '10'],
      ['/images', '10', '~a b', '10'],
      ['/images', '20', '~a b', '10'],
    ],
  );
});

test('an error in the middle of a list ends it', async (t) => {
  let pages = 0;
  const all = images(30, second);
  const server = await serve(t, (_, response, received) => {
    if (pages++ === 0) sendJson(response, 200, todaysPage(all, received));
    else sendJson(response, 503, { code: 'ServiceUnavailable', message: 'down' });
  });
  const error = await failure(collect(clientOf(t, server.url).listAll({}, { pageSize: 10 })));
  t.match(error, { code: 'ServiceUnavailable' });
});

test('the Link header is read in its forms', (t) => {
  t.equal(nextLink(undefined), undefined);
  t.equal(nextLink(''), undefined);
  t.equal(nextLink('</images?a=1>; rel="prev"'), undefined);
  t.equal(nextLink('</images?a=1>'), undefined);
  t.equal(nextLink('</images?a=1>; rel="next"')?.toString(), 'a=1');
  t.equal(nextLink('</images?a=1>; rel=next')?.toString(), 'a=1');
  t.equal(nextLink('<?a=1,2>; title="x"; rel="next"')?.toString(), 'a=1%2C2');
  t.equal(nextLink('</images?a=1>; rel="prev", </images?b=2>; rel="next"')?.toString(), 'b=2');
  t.end();
});
