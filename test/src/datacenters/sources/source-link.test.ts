import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { imageObjectPath } from '#lib/manifest/object-paths.ts';
import { IMAGES, type ImageRecord } from '#lib/manifest/record.ts';
import { changeLink, putLink } from '#src/datacenters/links/links.ts';
import { newest, newKey, ownKeys } from '#src/datacenters/links/own-keys.ts';
import { linkKey } from '#src/datacenters/links/public-keys.ts';
import { unlinkDatacenter } from '#src/datacenters/links/unlink-datacenter.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { sourceFor } from '#src/datacenters/sources/sources.ts';
import { ALICE, BOB, CAROL } from '../../../helpers/accounts.ts';
import {
  bytesOf,
  clientOf,
  type Datacenter,
  linkedPair,
  putImage,
  putObject,
  setConfig,
  startDatacenter,
} from '../../../helpers/datacenter.ts';

const { signal } = new AbortController();

test('an image comes with its manifest, its shares and both hashes, and without what belongs to a datacenter', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record, sha1 } = await putImage(west, ALICE, {
    description: 'mine',
    tags: ['role=db'],
    tagsObj: { role: 'db' },
    acl: [BOB],
    shares: [
      { entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' },
      { entry: BOB },
      { entry: 'nobody', shared_at: '2026-01-01T00:00:00.000Z' },
    ],
    grants: [CAROL],
    billing_tags: ['paid'],
    traits: { ssd: true },
    public: true,
  } as Partial<ImageRecord>);
  const source = (await sourceFor(east.service, 'us-west-1'))!;
  t.equal(source.kind, 'link');
  const { manifest, files, shares } = await source.getImage(record.uuid, ALICE, signal);
  t.match(manifest, { uuid: record.uuid, owner: ALICE, state: 'active', tags: { role: 'db' }, acl: [BOB] });
  t.equal(manifest['public'], false, 'an account brings no public image');
  t.strictSame(Object.keys((manifest['files'] as object[])[0]!), ['sha1', 'size', 'compression']);
  t.equal((manifest['files'] as { sha1: string }[])[0]!.sha1, sha1);
  t.match(files[0]?.sha256, /^[0-9a-f]{64}$/);
  t.match(manifest, { billing_tags: ['paid'], traits: { ssd: true } }, 'the marks of the operators');
  for (const field of ['copied_from', 'owner_login', 'channels', 'urn']) {
    t.notOk(field in manifest, field);
  }
  t.strictSame(shares, [
    { entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' },
    { entry: BOB },
    { entry: 'nobody', shared_at: '2026-01-01T00:00:00.000Z' },
  ]);
});

test('an account that left a share is not let in again by a copy', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record } = await putImage(west, ALICE, {
    shares: [{ entry: 'carol', account: CAROL, shared_at: '2026-01-01T00:00:00.000Z' }],
    left: [CAROL],
  });
  const { shares } = await linkSource(east.service, 'us-west-1').getImage(record.uuid, ALICE, signal);
  t.strictSame(shares, [{ entry: 'carol', shared_at: '2026-01-01T00:00:00.000Z' }]);
});

test('the state of an image that is not active is told to its owner', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  const disabled = await putImage(west, ALICE, { state: 'disabled', disabled: true });
  const unactivated = await putImage(west, ALICE, { state: 'unactivated', activated: false });
  t.equal((await source.getImage(disabled.record.uuid, ALICE, signal)).manifest['state'], 'disabled');
  t.equal((await source.getImage(unactivated.record.uuid, ALICE, signal)).manifest['state'], 'unactivated');
});

test('a link reads only images that the named account owns; all others are not found', async (t) => {
  const { east, west } = await linkedPair(t);
  const client = await clientOf(east, 'us-west-1');
  const shared = await putImage(west, ALICE, { acl: [BOB] });
  const open = await putImage(west, ALICE, { public: true });
  // What a share opens within a datacenter, a link opens to nobody.
  const below = await putImage(west, ALICE);
  await putImage(west, ALICE, { origin: below.record.uuid, acl: [BOB] });
  const absent = '00000000-0000-4000-8000-000000000000';
  for (const uuid of [shared.record.uuid, open.record.uuid, below.record.uuid, absent]) {
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/icon'],
      ['GET', '/file'],
      ['GET', '/file/pieces'],
      ['POST', '/file/pull-url'],
    ] as const) {
      const path = `/link/images/${uuid}${rest}?account=${BOB}`;
      await t.rejects(client.send({ method, path }), { statusCode: 404, code: 'ResourceNotFound' }, path);
    }
  }
  await t.rejects(client.send({ method: 'GET', path: `/link/images/${open.record.uuid}` }), {
    name: 'ImgapiError',
    statusCode: 422,
  });
  await t.rejects(client.send({ method: 'GET', path: `/link/images/${open.record.uuid}?account=x` }), {
    name: 'ImgapiError',
    statusCode: 422,
  });
});

test('a link that is restricted to accounts reads images of no other', async (t) => {
  const { east, west } = await linkedPair(t, { terms: { allowedAccounts: [ALICE] } });
  const source = linkSource(east.service, 'us-west-1');
  const alices = await putImage(west, ALICE);
  const bobs = await putImage(west, BOB);
  await source.getImage(alices.record.uuid, ALICE, signal);
  const refused = { statusCode: 403, code: 'Forbidden' };
  await t.rejects(source.getImage(bobs.record.uuid, BOB, signal), refused);
  const start = { account: BOB, start: 0, sha1: bobs.sha1, signal };
  await t.rejects(source.getFile(bobs.record.uuid, start), refused);
  await t.rejects(source.createPullUrl(bobs.record.uuid, BOB, undefined, signal), refused);
});

test("another's image takes the work of an absent one: the store is asked the same and answers nothing", async (t) => {
  const { east, west } = await linkedPair(t, { terms: { allowedAccounts: [BOB] } });
  const client = await clientOf(east, 'us-west-1');
  const large = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`key-${at}`, 'x'.repeat(100)]));
  const images = [
    (await putImage(west, ALICE)).record.uuid,
    (await putImage(west, ALICE, { public: true, acl: [BOB], tagsObj: large })).record.uuid,
    '00000000-0000-4000-8000-000000000000',
  ];
  const calls: string[] = [];
  const { store } = west.service;
  const watched = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      if (name === 'now') return value.bind(target);
      return async (bucket: { name?: string }, ...rest: unknown[]) => {
        const answer: unknown = await value.call(target, bucket, ...rest);
        const isImage = bucket.name === 'imgapi_images' || bucket.name === 'imgapi_pulls';
        if (isImage) calls.push(`${String(name)} ${bucket.name}: ${JSON.stringify(answer)}`);
        return answer;
      };
    },
  });
  Object.assign(west.service, { store: watched });
  t.teardown(() => Object.assign(west.service, { store }));
  for (const [method, rest] of [
    ['GET', ''],
    ['GET', '/icon'],
    ['GET', '/file'],
    ['GET', '/file/pieces'],
    ['POST', '/file/pull-url'],
  ] as const) {
    const work = new Set<string>();
    for (const uuid of images) {
      calls.length = 0;
      await t.rejects(client.send({ method, path: `/link/images/${uuid}${rest}?account=${BOB}` }), {
        name: 'ImgapiError',
        statusCode: 404,
      });
      work.add(calls.join('\n'));
    }
    t.strictSame(work.size, 1, `${method} ${rest}: ${[...work].join('\n--\n').slice(0, 2000)}`);
    t.notOk([...work].some((text) => text.includes(ALICE)));
    t.ok(calls.length > 0);
  }
});

test('more requests than the link may send answer 429 and when to come back', async (t) => {
  const { east, west } = await linkedPair(t, { west: { keys: { links: { requestsPerSecond: 1 } } } });
  const client = await clientOf(east, 'us-west-1');
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, () => client.json({ method: 'GET', path: '/link/ping' })),
  );
  const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  t.ok(refused.length >= 8, `${refused.length} of 20 were refused`);
  t.match(refused[0], { statusCode: 429, code: 'TooManyRequests', retryAfter: 1 });
  west.clock.ahead = 15_000;
  await client.json({ method: 'GET', path: '/link/ping' });
});

test('a file comes whole, from a byte on, and not at all when it is another one by now', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  const { record, bytes, sha1 } = await putImage(west, ALICE);
  const ask = { account: ALICE, sha1, signal };
  const whole = await source.getFile(record.uuid, { ...ask, start: 0 });
  t.match(whole, { status: 200, length: bytes.length });
  t.ok((await bytesOf(whole.stream)).equals(bytes));
  const rest = await source.getFile(record.uuid, { ...ask, start: 49_000 });
  t.match(rest, { status: 206, length: 1_000 });
  t.ok((await bytesOf(rest.stream)).equals(bytes.subarray(49_000)));
  await t.rejects(source.getFile(record.uuid, { ...ask, start: 50_000 }), { name: 'ImgapiError', statusCode: 416 });
  await t.rejects(source.getFile(record.uuid, { ...ask, start: 0, sha1: '0'.repeat(40) }), {
    name: 'ImgapiError',
    statusCode: 412,
  });
});

test('an icon comes with its type; an image without one has none', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  const { record } = await putImage(west, ALICE);
  t.equal(await source.getIcon(record.uuid, ALICE, signal), undefined);
  const icon = Buffer.from('not really a picture');
  await putObject(west.service.storages.named('local'), imageObjectPath(record.uuid, 'icon'), icon);
  const about = { sha1: '0'.repeat(40), size: icon.length, contentMD5: 'x', mtime: '2026-01-01T00:00:00.000Z' };
  const value = { ...record, icon: { ...about, contentType: 'image/png', stor: 'local' } };
  await west.service.store.batch([{ op: 'put', bucket: IMAGES, key: record.uuid, value }]);
  const found = (await source.getIcon(record.uuid, ALICE, signal))!;
  t.match(found, { contentType: 'image/png', length: icon.length });
  t.ok((await bytesOf(found.stream)).equals(icon));
});

test('a pull URL reads the file from where the link allows it', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  const { record, bytes, sha1 } = await putImage(west, ALICE);
  const pull = (await source.createPullUrl(record.uuid, ALICE, undefined, signal))!;
  t.match(pull, { size: bytes.length, sha1, direct: false });
  t.equal(new URL(pull.url).origin, west.url);
  const rest = await source.getPullUrl(pull.url, { account: ALICE, start: 40_000, sha1, signal });
  t.equal(rest.status, 206);
  t.ok((await bytesOf(rest.stream)).equals(bytes.subarray(40_000)));
});

test('a pull URL from anywhere else is not asked for, and not followed elsewhere', async (t) => {
  const { east } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  let asked = 0;
  const elsewhere = await plainServer(t, () => {
    asked++;
    return { status: 200 };
  });
  const ask = { account: ALICE, start: 0, sha1: '0'.repeat(40), signal };
  for (const url of [`${elsewhere}/pulls/x`, 'file:///etc/passwd', 'http://u:p@127.0.0.1/x', 'nonsense']) {
    await t.rejects(source.getPullUrl(url, ask), { name: 'SourceInvalidError' }, url);
  }
  t.equal(asked, 0);

  const redirecting = await plainServer(t, () => ({ status: 307, location: `${elsewhere}/secret` }));
  await changeLink(east.service, 'us-west-1', (link) => ({ ...link, pull_origins: [redirecting] }));
  await t.rejects(source.getPullUrl(`${redirecting}/x`, ask), { name: 'ImgapiError', code: 'Redirect' });
  t.equal(asked, 0);
});

test('pull URLs that the link does not take, or that the other does not give, count as none', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  const { record } = await putImage(west, ALICE);
  await changeLink(east.service, 'us-west-1', (link) => ({ ...link, pull_origins: ['http://127.0.0.1:9'] }));
  t.equal(await source.createPullUrl(record.uuid, ALICE, undefined, signal), undefined);
  await changeLink(east.service, 'us-west-1', (link) => ({ ...link, pull_origins: [west.url] }));
  setConfig(west, 'pulls', { redirect: false });
  t.equal(await source.createPullUrl(record.uuid, ALICE, undefined, signal), undefined);
});

test('the identity of the object store is told', async (t) => {
  const { east, west } = await linkedPair(t);
  const [identity] = await linkSource(east.service, 'us-west-1').storeIdentities(signal);
  t.equal(identity, await west.service.storages.named('local').identity());
});

test('a source whose link ended says so', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  const { record } = await putImage(west, ALICE);
  await unlinkDatacenter(east.service, 'us-west-1');
  await t.rejects(source.getImage(record.uuid, ALICE, signal), {
    name: 'SourceInvalidError',
    message: /no longer linked/,
  });
  t.equal(await sourceFor(east.service, 'us-west-1'), undefined);
});

test('a source that cannot be reached says so', async (t) => {
  const { east, west } = await linkedPair(t);
  const source = linkSource(east.service, 'us-west-1');
  await west.stop();
  await t.rejects(source.getImage('00000000-0000-4000-8000-000000000000', ALICE, signal), {
    name: 'ImgapiUnreachableError',
  });
});

test('what a lying datacenter sends is refused', async (t) => {
  const east = await startDatacenter(t, 'us-east-1');
  const uuid = '11111111-2222-4333-8444-555555555555';
  const good = {
    manifest: { v: 2, uuid, owner: ALICE, name: 'x', version: '1', state: 'active', public: true, files: [] },
  };
  let answer: unknown = good;
  const url = await plainServer(t, () => ({ status: 200, body: JSON.stringify(answer) }));
  await trust(east, 'liar-1', url);
  const source = linkSource(east.service, 'liar-1');
  t.equal((await source.getImage(uuid, ALICE, signal)).manifest['public'], false);
  const wrong: [string, unknown][] = [
    ['another UUID', { manifest: { ...good.manifest, uuid: '99999999-2222-4333-8444-555555555555' } }],
    ['another owner', { manifest: { ...good.manifest, owner: BOB } }],
    ['no owner', { manifest: { ...good.manifest, owner: 'alice' } }],
    ['a state of its own', { manifest: { ...good.manifest, state: 'splendid' } }],
    ['a file without hash', { manifest: { ...good.manifest, files: [{ sha1: 'x', size: 1, compression: 'none' }] } }],
    ['files that are none', { manifest: { ...good.manifest, files: 'many' } }],
    ['no manifest', {}],
    ['no object', 7],
    ['shares that are none', { ...good, shares: 'all' }],
    ['a share of nobody', { ...good, shares: [{ entry: '' }] }],
    ['a pin that is no UUID', { ...good, shares: [{ entry: 'bob', account: 'bob', shared_at: '2026-01-01' }] }],
    ['too many shares', { ...good, shares: Array.from({ length: 1001 }, () => ({ entry: BOB })) }],
  ];
  for (const [what, lie] of wrong) {
    answer = lie;
    await t.rejects(source.getImage(uuid, ALICE, signal), { name: 'SourceInvalidError' }, what);
  }
  answer = { ...good, padding: 'x'.repeat(2 * 1024 * 1024) };
  await t.rejects(source.getImage(uuid, ALICE, signal), { code: 'InvalidAnswer' }, 'more than 1 MiB');
});

async function plainServer(
  t: Test,
  answer: (url: string) => { readonly status: number; readonly body?: string; readonly location?: string },
): Promise<string> {
  const server = createServer((request, response) => {
    const { status, body = '', location } = answer(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json', ...(location ? { location } : {}) });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A link that only one side has. */
async function trust(dc: Datacenter, name: string, url: string): Promise<void> {
  const { publicKey } = await newKey(dc.service);
  const link = {
    name,
    url,
    our_url: dc.url,
    keys: [linkKey(publicKey, '2026-01-01T00:00:00.000Z')],
    our_key: newest((await ownKeys(dc.service)).value).fingerprint,
    pull_origins: [url],
    created_at: '2026-01-01T00:00:00.000Z',
    rev: 0,
  };
  await dc.service.store.batch([putLink(link, null)]);
}
