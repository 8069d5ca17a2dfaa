/** What is asked of one process holds in the other: two real ones on one database and one data folder. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import bunyan from 'bunyan';
import { type Test, test } from 'tap';
import { request } from 'undici';
import type { CopyStatus } from '#lib/api/schemas/copy.ts';
import { openSqliteStore } from '#lib/documents/sqlite/store.ts';
import { linkSigner, type Signer } from '#lib/signing/signers.ts';
import { keyIdOf } from '#src/datacenters/links/authenticate.ts';
import { LINK_BUCKETS } from '#src/datacenters/links/documents.ts';
import { newest, ownKeys, privateKeyOf } from '#src/datacenters/links/own-keys.ts';
import { ALICE } from '../helpers/accounts.ts';
import { link, MiB, type Site, secondProcess, startCloud, startSite } from '../helpers/cloud.ts';
import { MANIFEST, makeImage } from '../helpers/images.ts';
import { spawnImgapi } from '../helpers/imgapi.ts';
import { assertSound } from '../helpers/invariants.ts';
import { waitFor } from '../helpers/wait.ts';
import { AUTH_KEYS, KEYS, signedHeaders } from '../src/imgapi/fixtures/signing.ts';

/** Signs requests as the site does. */
async function signerOf(site: Site): Promise<Signer> {
  const log = bunyan.createLogger({ name: 'test', level: 'fatal' });
  const store = await openSqliteStore({ path: join(site.dataDir, 'imgapi.db'), log });
  try {
    await store.open(LINK_BUCKETS);
    const key = newest((await ownKeys({ store, clock: store })).value);
    return linkSigner({ key: privateKeyOf(key), keyId: keyIdOf(site.name, key.fingerprint) });
  } finally {
    await store.close();
  }
}

interface Written {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** A request over the link, to be sent as often as one likes. */
async function signed(sign: Signer, to: Site, method: Written['method'], path: string): Promise<Written> {
  const headers = { host: new URL(to.network.url).host };
  const body = method === 'POST' ? { body: 'hello' } : {};
  return { method, path, headers: { ...headers, ...(await sign({ method, path, headers, ...body })) }, ...body };
}

async function statusAt(site: Site, { path, ...options }: Written): Promise<number> {
  const answer = await request(`${site.network.url}${path}`, options);
  await answer.body.dump();
  return answer.statusCode;
}

async function startTwo(t: Test, keys = {}): Promise<{ east: Site; west: Site; other: Site }> {
  const { east, west } = await startCloud(t, { west: keys });
  const other = await secondProcess(t, west, keys);
  await other.start();
  return { east, west, other };
}

test('A write over a link that one process has taken is refused by the other', async (t) => {
  const { east, west, other } = await startTwo(t);
  const sign = await signerOf(east);
  for (const [first, second] of [
    [west, other],
    [other, west],
  ] as const) {
    const written = await signed(sign, west, 'POST', '/link/echo');
    t.equal(await statusAt(first, written), 200);
    t.equal(await statusAt(second, written), 401, 'its nonce has been used');
    t.equal(await statusAt(first, written), 401);
  }
});

test('A link token works once, whichever process is asked', async (t) => {
  const { west, other } = await startTwo(t);
  const south = await startSite(t, 'us-south');
  const { token } = await west.administer<{ token: string }>('POST', '/datacenters/token', {});
  const pair = (by: Site, at: Site) =>
    by.administer('POST', '/datacenters', { name: west.name, url: at.network.url, token });
  await pair(south, west);
  const north = await startSite(t, 'us-north');
  await t.rejects(pair(north, other), { code: 'UnauthorizedError' });
  t.ok(await link(other, north), 'one made at the other process works at the other');
});

test('A link has one allowance of requests at all processes', async (t) => {
  const { east, west, other } = await startTwo(t, { links: { requestsPerSecond: 1 } });
  const sign = await signerOf(east);
  const ping = await signed(sign, west, 'GET', '/link/ping');
  const begin = performance.now();
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => statusAt(i % 2 === 0 ? west : other, ping)));
  const allowed = answers.filter((status) => status === 200).length;
  t.strictSame(
    answers.filter((status) => status !== 200 && status !== 429),
    [],
  );
  // Ten at once, and one for each second that has passed; linking took some.
  const most = 12 + (performance.now() - begin) / 1000;
  t.ok(allowed >= 1 && allowed <= most, `${allowed} of 60 were allowed`);
});

test('Keys that one process is asked to read again are known to the other with the next request', async (t) => {
  const keys = { authType: 'signature', authKeys: AUTH_KEYS };
  const one = await spawnImgapi(t, keys);
  const two = await spawnImgapi(t, keys, { dataDir: one.dataDir });
  const userAt = async (url: string): Promise<unknown> => {
    const { body } = await request(`${url}/ping`, { headers: signedHeaders({ user: 'bob', key: KEYS.ed25519 }) });
    return ((await body.json()) as { user?: string }).user;
  };
  await mkdir(join(one.dataDir, 'authkeys'), { recursive: true });
  for (const [text, user] of [
    [KEYS.ed25519.publicKey.openssh, 'bob'],
    ['', undefined],
  ] as const) {
    await writeFile(join(one.dataDir, 'authkeys/bob.keys'), text);
    const headers = signedHeaders({ key: KEYS.rsa });
    const { statusCode, body } = await request(`${one.url}/authkeys/reload`, { method: 'POST', headers });
    await body.dump();
    t.equal(statusCode, 200);
    t.equal(await userAt(two.url), user);
    t.equal(await userAt(one.url), user);
  }
});

test('A copy ordered at one process is watched, attached to and canceled at the other', async (t) => {
  const { east, west, other } = await startTwo(t);
  const { image } = await makeImage(east.alice, {}, { size: 24 * MiB });
  east.network.trouble = { kind: 'slow', bytesPerSecond: MiB };
  await west.order(image.uuid, east.name);
  const seen: { by: string; at: number; status: CopyStatus }[] = [];
  const watchAt = async (site: Site, by: string): Promise<void> => {
    for await (const status of site.alice.watchImageCopy(image.uuid)) seen.push({ by, at: performance.now(), status });
  };
  const watches = Promise.all([watchAt(west, 'west'), watchAt(other, 'other')]);
  const news = (by: string) => new Set(seen.filter((one) => one.by === by).map(({ status }) => status.bytes_done));
  await waitFor('progress at both', () => news('west').size > 4 && news('other').size > 4);
  for (const bytes of [...news('west')].filter((bytes) => news('other').has(bytes))) {
    const [first = 0, second = 0] = ['west', 'other'].map(
      (by) => seen.find((one) => one.by === by && one.status.bytes_done === bytes)?.at,
    );
    t.ok(Math.abs(first - second) < 2000, `${bytes} bytes were shown ${Math.round(Math.abs(first - second))} ms apart`);
  }
  const attached = await other.alice.copyImageFromDc(image.uuid, { datacenter: east.name });
  t.equal(attached.order, seen[0]?.status.order);
  const again = await other.alice.copyImageFromDc(image.uuid, { datacenter: east.name, do_not_restart: true });
  t.equal(again.order, attached.order);
  await other.alice.cancelImageCopy(image.uuid);
  await watches;
  for (const by of ['west', 'other']) t.equal(seen.findLast((one) => one.by === by)?.status.state, 'canceled', by);
  await t.rejects(west.alice.getImage(image.uuid), { code: 'ResourceNotFound' });
  east.network.trouble = { kind: 'none' };
  await assertSound(t, west);
});

test('What is written at one process is read at the other at once, in images and in lists', async (t) => {
  const { west, other } = await startTwo(t);
  for (let turn = 0; turn < 20; turn += 1) {
    const [writer, reader] = turn % 2 === 0 ? [west, other] : [other, west];
    const { uuid } = await writer.alice.createImage({ ...MANIFEST, name: `turn-${turn}` });
    t.equal((await reader.alice.getImage(uuid)).name, `turn-${turn}`);
    const listed = await reader.alice.listImages({ state: 'all', owner: ALICE });
    t.equal(listed.length, turn + 1);
  }
});

test('Of shares that are added at both processes at once, none is lost', async (t) => {
  const { west, other } = await startTwo(t);
  const { uuid } = await west.alice.createImage(MANIFEST);
  const accounts = Array.from({ length: 60 }, () => crypto.randomUUID());
  await Promise.all(accounts.map((account, i) => (i % 2 === 0 ? west : other).alice.addImageAcl(uuid, [account])));
  t.strictSame([...((await west.alice.getImage(uuid)).acl ?? [])].sort(), accounts.toSorted());
});

test('The operator token and a pull URL of one process are good for the other', async (t) => {
  const { west, other } = await startTwo(t);
  t.ok(await other.administer('GET', '/tasks'));
  const { image, bytes } = await makeImage(west.alice, {}, { size: MiB });
  const { url } = await west.operator.createImageFilePullUrl(image.uuid, {});
  const { pathname, search } = new URL(url);
  for (const site of [west, other]) {
    const answer = await request(`${site.network.url}${pathname}${search}`);
    t.equal(answer.statusCode, 200);
    t.ok(bytes.equals(Buffer.from(await answer.body.arrayBuffer())));
  }
});
