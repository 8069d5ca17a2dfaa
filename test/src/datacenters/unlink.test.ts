import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { checkLink } from '#src/datacenters/check-link.ts';
import { allLinks, changeLink } from '#src/datacenters/links.ts';
import { datacenters } from '#src/datacenters/list-datacenters.ts';
import { rotateKey } from '#src/datacenters/rotate-key.ts';
import { linkSource } from '#src/datacenters/source-link.ts';
import { unlinkDatacenter } from '#src/datacenters/unlink-datacenter.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { reapPulls } from '#src/pulls/reaper.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { clientOf, linkedPair, putImage } from '../../helpers/datacenter.ts';

const { signal } = new AbortController();

test('unlinking ends the trust on both sides, and the pull links of the other', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record } = await putImage(west, ALICE);
  const pull = (await linkSource(east.service, 'us-west-1').createPullUrl(record.uuid, ALICE, undefined, signal))!;
  const client = await clientOf(east, 'us-west-1');
  const report = await unlinkDatacenter(west.service, 'us-east-1');
  t.match(report, { told: true, pulls: { links: 1, bytes: 50_000 } });
  t.strictSame(await allLinks(east.service), []);
  t.strictSame(await allLinks(west.service), []);
  await t.rejects(client.json({ method: 'GET', path: '/link/ping' }), { name: 'ImgapiError', statusCode: 401 });
  t.equal((await request(pull.url)).statusCode, 404);
  t.equal(await west.service.store.count(PULL_LINKS), 0);
  await t.rejects(unlinkDatacenter(west.service, 'us-east-1'), { code: 'ResourceNotFound' });
});

test('a datacenter that cannot be told is unlinked all the same', async (t) => {
  const { east, west } = await linkedPair(t);
  await west.stop();
  t.match(await unlinkDatacenter(east.service, 'us-west-1'), { told: false, error: /cannot be reached/ });
  t.strictSame(await allLinks(east.service), []);
});

test('pull links that unlinking could not remove open nothing, and go with the reaper', async (t) => {
  const { east, west } = await linkedPair(t);
  const { record } = await putImage(west, ALICE);
  const pull = (await linkSource(east.service, 'us-west-1').createPullUrl(record.uuid, ALICE, undefined, signal))!;
  const { local } = west.service.storages;
  const stored = (await west.service.store.find(PULL_LINKS, {}))[0]!;
  const { remove } = local;
  local.remove = () => Promise.reject(new Error('the store is down'));
  await unlinkDatacenter(west.service, 'us-east-1');
  local.remove = remove;
  t.equal((await request(pull.url)).statusCode, 404);
  t.ok(await local.info(stored.value.path));
  // As if the process had died before the link's document went.
  await west.service.store.batch([
    { op: 'put', bucket: PULL_LINKS, key: stored.key, value: { ...stored.value, day: '' } },
  ]);
  t.match(await reapPulls(west.service), { objects: [{ path: stored.value.path }], links: [{ reqid: stored.key }] });
  t.equal(await local.info(stored.value.path), undefined);
});

test('the check of a link moves bytes both ways and notes the health', async (t) => {
  const { east } = await linkedPair(t);
  const report = await checkLink(east.service, 'us-west-1');
  t.ok(report.ok);
  t.strictSame(
    report.checks.map(({ check, ok }) => [check, ok]),
    ['reach', 'clock', 'versions', 'reach back', 'download', 'upload'].map((name) => [name, true]),
  );
  t.match(await datacenters(east.service), [
    { name: 'us-west-1', kind: 'link', health: { ok: true, clock_skew_seconds: Number, versions: { link: 1 } } },
  ]);
  await t.rejects(checkLink(east.service, 'eu-ams-1'), { code: 'ResourceNotFound' });
});

test('the check says what is wrong and what to mend', async (t) => {
  const { east, west } = await linkedPair(t);
  west.clock.ahead = 120_000;
  t.match(await checkLink(east.service, 'us-west-1'), {
    ok: false,
    checks: [{ ok: true }, { check: 'clock', ok: false, detail: /1(19|20) s ahead/, mend: /NTP/ }],
  });
  west.clock.ahead = 0;

  await changeLink(west.service, 'us-east-1', (link) => ({ ...link, url: 'http://127.0.0.1:1' }));
  const oneWay = await checkLink(east.service, 'us-west-1');
  t.match(
    oneWay.checks.find(({ ok }) => !ok),
    { check: 'reach back', detail: /cannot reach us/, mend: /firewall/ },
  );

  await changeLink(west.service, 'us-east-1', (link) => ({ ...link, keys: [] }));
  t.match((await checkLink(east.service, 'us-west-1')).checks, [{ check: 'reach', ok: false, mend: /different keys/ }]);

  await west.stop();
  t.match((await checkLink(east.service, 'us-west-1')).checks, [{ check: 'reach', ok: false, mend: /runs/ }]);
  t.match(await datacenters(east.service), [{ health: { ok: false, error: /^reach: / } }]);
});

test('of what the other side answers, health and reports keep a kilobyte, and the log no more', async (t) => {
  const { east, west } = await linkedPair(t);
  const logged: string[] = [];
  const { log } = east.service;
  log.addStream({
    level: 'trace',
    type: 'raw',
    stream: { write: (record: object) => logged.push(JSON.stringify(record)) },
  });
  const long = 'x'.repeat(100_000);
  const liar = await plainServer(t, JSON.stringify({ code: long, message: long }));
  await changeLink(east.service, west.name, (link) => ({ ...link, url: liar }));
  const { checks } = await checkLink(east.service, west.name);
  t.ok((checks[0]?.detail.length ?? 0) <= 1024);
  const [info] = await datacenters(east.service);
  t.ok((info?.health?.error?.length ?? 0) <= 1024);
  const rotated = await rotateKey(east.service);
  t.ok((rotated.failed[0]?.error.length ?? 0) <= 1024);
  t.ok(((await unlinkDatacenter(east.service, west.name)).error?.length ?? 0) <= 1024);
  t.ok(logged.length > 0 && logged.every((line) => line.length < 10_000), 'each line of the log is short');
});

async function plainServer(t: Test, body: string): Promise<string> {
  const server = createServer((_request, response) => {
    response.statusCode = 500;
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('legacy links are listed beside links, unless a link has taken their place', async (t) => {
  const legacy = { 'us-west-1': 'http://10.0.0.1', 'us-old-1': 'http://10.0.0.2' };
  const { east } = await linkedPair(t, { east: { keys: { imgapiUrlFromDatacenter: legacy } } });
  t.match(await datacenters(east.service), [
    { name: 'us-old-1', kind: 'legacy', url: 'http://10.0.0.2' },
    { name: 'us-west-1', kind: 'link' },
  ]);
});
