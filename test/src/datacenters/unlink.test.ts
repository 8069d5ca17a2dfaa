import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { failureOf } from '#src/copies/documents/failure-of.ts';

import { checkLink } from '#src/datacenters/links/check-link.ts';
import { allLinks, changeLink } from '#src/datacenters/links/links.ts';
import { checkedDatacenters, datacenters } from '#src/datacenters/links/list-datacenters.ts';
import { rotateKey } from '#src/datacenters/links/rotate-key.ts';
import { unlinkDatacenter } from '#src/datacenters/links/unlink-datacenter.ts';
import { LinkEndedError } from '#src/datacenters/peers/errors.ts';
import { linkSource } from '#src/datacenters/sources/source-link.ts';
import { PULL_LINKS } from '#src/pulls/documents.ts';
import { reapPulls } from '#src/pulls/reaper.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { clientOf, type Datacenter, linkedPair, putImage } from '../../helpers/datacenter.ts';
import { waitFor } from '../../helpers/wait.ts';

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
  const local = west.service.storages.named('local');
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

/** Whether the rest comes: of a file that is larger than what fits into buffers on the way. */
async function restOf(stream: AsyncIterable<Uint8Array>, onFirst: () => Promise<unknown>): Promise<number> {
  let bytes = 0;
  for await (const chunk of stream) {
    if (bytes === 0) await onFirst();
    bytes += chunk.byteLength;
  }
  return bytes;
}

/** What is read from its object store from now on. */
function streamsRead({ service }: Datacenter): Readable[] {
  const streams: Readable[] = [];
  const local = service.storages.named('local');
  const read = local.read.bind(local);
  local.read = async (path, options) => {
    const found = await read(path, options);
    streams.push(found.stream);
    return found;
  };
  return streams;
}

const LARGE = 24 * 1024 * 1024;

for (const ends of ['the side that sends', 'the side that receives', 'another process of the side that sends']) {
  test(`unlinking by ${ends} cuts what streams at that moment`, async (t) => {
    for (const way of ['the link listener', 'a pull URL', 'a pull URL of whoever has it']) {
      const { east, west } = await linkedPair(t, { west: { keys: { copies: { stallSeconds: 20 } } } });
      const { record, sha1 } = await putImage(west, ALICE, {}, Buffer.alloc(LARGE, 'x'));
      const source = linkSource(east.service, 'us-west-1');
      const ask = { account: ALICE, start: 0, sha1, signal };
      const sent = streamsRead(west);
      const pull = (await source.createPullUrl(record.uuid, ALICE, undefined, signal))!;
      const stream =
        way === 'the link listener'
          ? (await source.getFile(record.uuid, ask)).stream
          : way === 'a pull URL'
            ? (await source.getPullUrl(pull.url, ask)).stream
            : (await request(pull.url)).body;
      const otherProcess = { ...west.service, config: structuredClone(west.service.config) };
      const unlink = () => {
        if (ends === 'the side that receives') return unlinkDatacenter(east.service, 'us-west-1');
        return unlinkDatacenter(ends === 'the side that sends' ? west.service : otherProcess, 'us-east-1');
      };
      await t.rejects(
        restOf(stream, async () => {
          await unlink();
          await waitFor('what is sent to be cut', () => sent.length > 0 && sent.every(({ destroyed }) => destroyed));
        }),
        way,
      );
    }
  });
}

test('a copy whose link ends in the middle fails for that reason', async (t) => {
  t.match(failureOf(new LinkEndedError('us-west-1')), { code: 'NotLinked', message: /no longer linked/ });
  t.match(failureOf(new Error('append', { cause: new LinkEndedError('us-west-1') })), { code: 'NotLinked' });
});

test('the list of datacenters does not call one well that is down', async (t) => {
  const { east, west } = await linkedPair(t);
  t.match(await checkedDatacenters(east.service), [{ name: 'us-west-1', health: { ok: true } }]);
  await west.stop();
  const lists = await Promise.all([checkedDatacenters(east.service), checkedDatacenters(east.service)]);
  for (const list of lists) t.match(list, [{ health: { ok: false, error: /^reach: / } }]);
});

test('a check that is broken off says nothing of the link', async (t) => {
  const { east } = await linkedPair(t);
  const stopping = AbortSignal.abort(new Error('this process stops'));
  await t.rejects(checkLink(east.service, 'us-west-1', stopping), /this process stops/);
  t.match(await datacenters(east.service), [{ health: { ok: true } }]);
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
  t.match((await checkLink(east.service, 'us-west-1')).checks, [{ check: 'reach', ok: false, mend: /is running/ }]);
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

test('the password with which a datacenter is asked is shown to nobody', async (t) => {
  const legacy = { 'us-old-1': 'http://me:secret@10.0.0.2/path' };
  const { east } = await linkedPair(t, { east: { keys: { imgapiUrlFromDatacenter: legacy } } });
  const [{ url } = { url: '' }] = (await datacenters(east.service)).filter(({ kind }) => kind === 'legacy');
  t.equal(url, 'http://(hidden)@10.0.0.2/path');
});

test('legacy links are listed beside links, unless a link has taken their place', async (t) => {
  const legacy = { 'us-west-1': 'http://10.0.0.1', 'us-old-1': 'http://10.0.0.2' };
  const { east } = await linkedPair(t, { east: { keys: { imgapiUrlFromDatacenter: legacy } } });
  t.match(await datacenters(east.service), [
    { name: 'us-old-1', kind: 'legacy', url: 'http://10.0.0.2' },
    { name: 'us-west-1', kind: 'link' },
  ]);
});
