import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { LINK_TOKENS } from '#src/datacenters/links/documents.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken } from '#src/datacenters/links/link-tokens.ts';
import { allLinks, changeLink, findLink } from '#src/datacenters/links/links.ts';
import { datacenters } from '#src/datacenters/links/list-datacenters.ts';
import { isPullUrlAllowed, pullOriginsOf } from '#src/datacenters/links/pull-origins.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { ALICE } from '../../../helpers/accounts.ts';
import { type Datacenter, linkedPair, putImage, setConfig, startDatacenter } from '../../../helpers/datacenter.ts';

const { signal } = new AbortController();
const ASK = { account: ALICE, start: 0, sha1: '0'.repeat(40), signal };

/** Counts who comes. */
async function bystander(t: Test): Promise<{ readonly url: string; asked: number }> {
  const seen = { url: '', asked: 0 };
  const server = createServer((_request, response) => {
    seen.asked += 1;
    response.end('secret');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  seen.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return seen;
}

async function linkOf(dc: Datacenter, name: string) {
  return (await findLink(dc.service, name))!.value;
}

test('what a datacenter announces is shown, and nothing is fetched from there', async (t) => {
  const other = await bystander(t);
  const announced = [other.url, 'http://169.254.169.254', 'http://10.0.0.1', 'http://[::ffff:7f00:1]:81'];
  const keys = { links: { allowedPullOrigins: announced } };
  const { east, west } = await linkedPair(t, { east: { keys }, west: { keys } });
  for (const [here, there] of [
    [east, west],
    [west, east],
  ] as const) {
    const link = await linkOf(here, there.name);
    t.strictSame(pullOriginsOf(link), [there.url], here.name);
    t.match(await datacenters(here.service), [{ pull_origins: [there.url], announced_pull_origins: announced }]);
    const { record } = await putImage(there, ALICE);
    const source = linkSource(here.service, there.name);
    setConfig(there, 'pulls', { publicUrl: other.url });
    t.equal(await source.createPullUrl(record.uuid, ALICE, undefined, signal), undefined, 'its pull URL is not taken');
    for (const origin of announced) {
      await t.rejects(source.getPullUrl(`${origin}/pulls/x`, ASK), { name: 'SourceInvalidError' }, origin);
    }
  }
  t.equal(other.asked, 0);
});

test('links that an older version recorded with what the other announced take pull URLs from its own host only', async (t) => {
  const { east, west } = await linkedPair(t);
  const other = await bystander(t);
  await changeLink(east.service, west.name, ({ pull_origins_named: _, ...link }) => ({
    ...link,
    pull_origins: [west.url, other.url],
  }));
  const link = await linkOf(east, west.name);
  t.ok(isPullUrlAllowed(east.service, link, `${west.url}/pulls/20260101/x?signature=y`));
  t.notOk(isPullUrlAllowed(east.service, link, `${other.url}/pulls/20260101/x?signature=y`));
});

test('an operator names origins on either side, also of a link that is there', async (t) => {
  const other = await bystander(t);
  const { east, west } = await linkedPair(t, { terms: { pullOrigins: [other.url] } });
  t.strictSame(pullOriginsOf(await linkOf(west, east.name)), [east.url, other.url]);
  t.strictSame(pullOriginsOf(await linkOf(east, west.name)), [west.url], 'but for its own side');

  const again = { name: west.name, url: west.url, token: (await createLinkToken(west.service)).token };
  const named = await linkDatacenter(east.service, { ...again, pullOrigins: [other.url] });
  t.match(named, { created: false, changed: true, pull_origins: [west.url, other.url] });
  t.match(await linkDatacenter(east.service, { ...again, pullOrigins: [other.url] }), { changed: false });
  t.match(await linkDatacenter(east.service, again), { changed: false, pull_origins: [west.url, other.url] });
  const { status } = await linkSource(east.service, west.name).getPullUrl(`${other.url}/x`, ASK);
  t.equal(status, 200);
});

test('our own listeners are no source, even if an operator named them, whatever form leads there', async (t) => {
  const { east, west } = await linkedPair(t);
  const { port } = new URL(east.url);
  const source = linkSource(east.service, west.name);
  for (const host of [
    '127.0.0.1',
    'localhost',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '0.0.0.0',
    '2130706433',
    '0x7f.1',
  ]) {
    const { origin } = new URL(`http://${host}:${port}`);
    await changeLink(east.service, west.name, (link) => ({ ...link, pull_origins: [origin] }));
    await t.rejects(
      source.getPullUrl(`${origin}/images/x/file`, ASK),
      /this service itself|private address|does not allow pull URLs/,
      host,
    );
    await changeLink(east.service, west.name, (link) => ({ ...link, url: origin }));
    const refusal = { name: 'AddressRefusedError', message: /this service itself/ };
    await t.rejects(source.getImage('00000000-0000-4000-8000-000000000000', ALICE, signal), refusal, host);
  }
});

test('on the host of the link only pull links are fetched: other services may stand behind the same proxy', async (t) => {
  const { east, west } = await linkedPair(t);
  const link = { ...(await linkOf(east, west.name)), url: 'http://proxy.example.com/link' };
  const shared = { ...link, pull_origins: ['http://proxy.example.com'] };
  const allowed = (url: string) => isPullUrlAllowed(east.service, shared, url);
  t.ok(allowed('http://proxy.example.com/link/pulls/20260101/x?signature=y'));
  for (const path of [
    '/imgapi/images/x/file',
    '/link/images/x/file',
    '/link/pulls/../images/x',
    '/link/pulls/%2e%2e/x',
    // What a proxy may take for one of those.
    '/link/pulls/..%2f..%2fimgapi/images/x/file',
    '/link/pulls/x/..%2F..%2f..%2Fimgapi/images/x/file',
    '/link/pulls/%252e%252e%252fimages/x',
    '/link/pulls/..%5c..%5cimgapi/x',
    '/link/pulls/..;/..;/imgapi/x',
    '/link/pulls//../../imgapi/x',
  ]) {
    t.notOk(allowed(`http://proxy.example.com${path}`), path);
  }
  setConfig(east, 'links', { publicUrl: 'http://proxy.example.com/ours' });
  const named = { ...link, url: 'http://west.example.com', pull_origins: ['http://proxy.example.com'] };
  t.ok(isPullUrlAllowed(east.service, named, 'http://proxy.example.com/objects/x'));
  for (const path of [
    '/ours/pulls/20260101/x',
    '//ours/images/x/file',
    '/objects/..%2fours/x',
    '/%6furs/images/x',
    '/OURS/images/x',
  ]) {
    t.notOk(isPullUrlAllowed(east.service, named, `http://proxy.example.com${path}`), path);
  }
});

test('over a link nothing is fetched without an account', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record, sha1 } = await putImage(west, ALICE);
  const source = linkSource(east.service, west.name);
  const nobody = { account: undefined, start: 0, sha1, signal };
  const refusal = { name: 'SourceInvalidError', message: /without the account/ };
  await t.rejects(source.getImage(record.uuid, undefined, signal), refusal);
  await t.rejects(source.getIcon(record.uuid, undefined, signal), refusal);
  await t.rejects(source.getFile(record.uuid, nobody), refusal);
  await t.rejects(source.createPullUrl(record.uuid, undefined, undefined, signal), refusal);
  await t.rejects(source.getPullUrl(`${west.url}/pulls/x`, nobody), refusal);
});

test('a datacenter that says it is at our own listener, or where only we are, is not linked, and keeps the token', async (t) => {
  const [east, west] = await Promise.all([startDatacenter(t, 'us-east-1'), startDatacenter(t, 'us-west-1')]);
  const { token, url } = await createLinkToken(west.service);
  const { port } = new URL(west.url);
  for (const claimed of [
    west.url,
    `http://localhost:${port}`,
    'http://169.254.169.254',
    'http://[fe80::1]',
    'http://0.0.0.0:9',
  ]) {
    setConfig(east, 'links', { publicUrl: claimed });
    await t.rejects(
      linkDatacenter(east.service, { name: west.name, url, token }),
      { code: 'ValidationFailed', message: /must not send requests there/ },
      claimed,
    );
  }
  t.strictSame(await allLinks(west.service), []);
  t.equal(await west.service.store.count(LINK_TOKENS), 1);
  setConfig(east, 'links', { publicUrl: east.url });
  t.ok((await linkDatacenter(east.service, { name: west.name, url, token })).ok);
});

test("behind a proxy that everybody comes through, being on this machine is nobody's word", async (t) => {
  const [east, west] = await Promise.all([startDatacenter(t, 'us-east-1'), startDatacenter(t, 'us-west-1')]);
  const { token } = await createLinkToken(west.service);
  const bare = west.url;
  setConfig(west, 'links', { publicUrl: 'https://proxy.example.com/west' });
  await t.rejects(linkDatacenter(east.service, { name: west.name, url: bare, token }), {
    code: 'ValidationFailed',
    message: /must not send requests there/,
  });
  t.strictSame(await allLinks(west.service), []);
});
