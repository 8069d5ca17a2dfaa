import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Test, test } from 'tap';
import { request } from 'undici';
import { generateKeys } from '#lib/signing/keys.ts';
import { LINK_TOKENS } from '#src/datacenters/links/documents.ts';
import { linkDatacenter } from '#src/datacenters/links/link-datacenter.ts';
import { createLinkToken, expireLinkDocuments } from '#src/datacenters/links/link-tokens.ts';
import { allLinks, findLink } from '#src/datacenters/links/links.ts';
import { rateLimiter } from '#src/datacenters/links/rate-limit.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type Datacenter, startDatacenter } from '../../helpers/datacenter.ts';
import { startInProcess } from '../../helpers/imgapi.ts';

async function twoDatacenters(t: Test): Promise<{ east: Datacenter; west: Datacenter }> {
  const [east, west] = await Promise.all([startDatacenter(t, 'us-east-1'), startDatacenter(t, 'us-west-1')]);
  return { east, west };
}

/** A proxy in front of a link listener that changes bodies on their way. */
async function meddlingProxy(t: Test, target: string, meddle: (way: 'request' | 'reply', body: string) => string) {
  const server = createServer(async (incoming, response) => {
    const body = meddle('request', await textOf(incoming));
    const answer = await request(`${target}${incoming.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
    response.end(meddle('reply', await answer.body.text()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  return text;
}

function withKey(message: string, publicKey: string): string {
  const parsed = JSON.parse(message);
  return JSON.stringify({ ...parsed, party: JSON.stringify({ ...JSON.parse(parsed.party), public_key: publicKey }) });
}

test('a token links two datacenters, which then know and reach each other', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, datacenter, url } = await createLinkToken(west.service, { allowedAccounts: [ALICE] });
  t.match(token, /^imgapi-link-v1\.[0-9a-f]{16}\.[A-Za-z0-9_-]{43}$/);
  t.equal(datacenter, 'us-west-1');

  const report = await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  t.ok(report.ok, 'everything works');
  t.equal(report.created, true);
  t.strictSame(report.problems, []);
  t.strictSame(
    report.checks.map(({ check }) => check),
    ['reach', 'clock', 'versions', 'reach back'],
  );

  const there = (await findLink(west.service, 'us-east-1'))!.value;
  const here = (await findLink(east.service, 'us-west-1'))!.value;
  t.equal(there.url, east.url);
  t.equal(here.url, west.url);
  t.strictSame(report.their_keys, [there.our_key], 'each holds the other key');
  t.strictSame(
    there.keys.map(({ fingerprint }) => fingerprint),
    [here.our_key],
  );
  t.strictSame(there.allowed_accounts, [ALICE], 'the token carries the terms of the side that made it');
  t.equal(here.allowed_accounts, undefined);
  t.strictSame(here.pull_origins, [west.url]);
  t.equal(here.health?.ok, true);
});

test('the report opens only the link port, to the other datacenter', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  const { firewall_rules, sapi_metadata } = await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  const { port } = new URL(east.url);
  t.strictSame(
    firewall_rules.map(({ rule }) => rule),
    [`FROM ip 127.0.0.1 TO tag "smartdc_role" = "imgapi" ALLOW tcp PORT ${port}`],
  );
  t.match(sapi_metadata, { metadata: { IMGAPI_LINKS_PORT: Number(port) } });
});

test('linking again changes nothing and needs no good token', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  const { health: _, rev: __, ...before } = (await findLink(east.service, 'us-west-1'))!.value;
  const again = await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  t.equal(again.created, false);
  t.ok(again.ok);
  const { health: ___, rev: ____, ...after } = (await findLink(east.service, 'us-west-1'))!.value;
  t.strictSame(after, before);
});

test('a side that lost its record is linked again with the same keys', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const first = await createLinkToken(west.service);
  await linkDatacenter(east.service, { name: 'us-west-1', ...first });
  const keys = (await findLink(east.service, 'us-west-1'))!.value.keys;
  const { DATACENTERS } = await import('#src/datacenters/links/documents.ts');
  await west.service.store.batch([{ op: 'del', bucket: DATACENTERS, key: 'us-east-1' }]);
  const second = await createLinkToken(west.service);
  const report = await linkDatacenter(east.service, { name: 'us-west-1', ...second });
  t.ok(report.ok);
  t.strictSame((await findLink(east.service, 'us-west-1'))!.value.keys, keys);
});

test('a token works once', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const third = await startDatacenter(t, 'eu-ams-1');
  const { token, url } = await createLinkToken(west.service);
  await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  await t.rejects(linkDatacenter(third.service, { name: 'us-west-1', url, token }), {
    code: 'UnauthorizedError',
    message: /used up/,
  });
  t.strictSame(await allLinks(third.service), []);
});

test('of two that use one token at once, one gets through', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const third = await startDatacenter(t, 'eu-ams-1');
  const { token, url } = await createLinkToken(west.service);
  const results = await Promise.allSettled([
    linkDatacenter(east.service, { name: 'us-west-1', url, token }),
    linkDatacenter(third.service, { name: 'us-west-1', url, token }),
  ]);
  t.strictSame(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  t.equal((await allLinks(west.service)).length, 1);
});

test('a token expires after ten minutes, and is then forgotten', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  west.clock.ahead = 10 * 60_000 + 1;
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), {
    code: 'UnauthorizedError',
    message: /expired/,
  });
  t.equal(await expireLinkDocuments(west.service), 1);
  t.equal(await west.service.store.count(LINK_TOKENS), 0);
});

test('what is stored of a token does not hold its secret', async (t) => {
  const west = await startDatacenter(t, 'us-west-1');
  const { token } = await createLinkToken(west.service);
  const [, id = '', secret = ''] = token.split('.');
  const stored = await west.service.store.get(LINK_TOKENS, id);
  t.ok(stored);
  t.notOk(JSON.stringify(stored!.value).includes(secret));
});

test('a token that is not the one that was made is refused', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  const wrong = `${token.slice(0, -43)}${'A'.repeat(43)}`;
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token: wrong }), {
    code: 'UnauthorizedError',
  });
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token: 'nonsense' }), {
    code: 'InvalidParameter',
  });
  t.strictSame(await allLinks(west.service), []);
  t.strictSame(await allLinks(east.service), []);
  const right = await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  t.ok(right.ok, 'the token itself is still good');
});

test('whoever swaps the key of the request on its way links nothing', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { publicOpenssh } = await generateKeys({ comment: 'mallory' });
  const url = await meddlingProxy(t, west.url, (way, body) =>
    way === 'request' ? withKey(body, publicOpenssh) : body,
  );
  const { token } = await createLinkToken(west.service);
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), {
    code: 'UnauthorizedError',
    message: /altered on the way/,
  });
  t.strictSame(await allLinks(west.service), []);
  t.strictSame(await allLinks(east.service), []);
});

test('whoever swaps the key of the reply on its way gets no link from the side that asked', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { publicOpenssh } = await generateKeys({ comment: 'mallory' });
  const url = await meddlingProxy(t, west.url, (way, body) => (way === 'reply' ? withKey(body, publicOpenssh) : body));
  const { token } = await createLinkToken(west.service);
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), {
    code: 'RemoteSourceError',
    message: /nothing was linked/,
  });
  t.strictSame(await allLinks(east.service), []);
});

test('a request sent back as the reply proves nothing', async (t) => {
  const { east, west } = await twoDatacenters(t);
  let sent = '';
  const url = await meddlingProxy(t, west.url, (way, body) => {
    if (way === 'request') sent = body;
    return way === 'request' ? body : JSON.stringify({ party: JSON.parse(sent).party, code: JSON.parse(sent).code });
  });
  const { token } = await createLinkToken(west.service);
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), { code: 'RemoteSourceError' });
  t.strictSame(await allLinks(east.service), []);
});

test('a datacenter that is linked with other keys must be unlinked first', async (t) => {
  const { east, west } = await twoDatacenters(t);
  await linkDatacenter(east.service, { name: 'us-west-1', ...(await createLinkToken(west.service)) });
  const impostor = await startDatacenter(t, 'us-east-1');
  await t.rejects(linkDatacenter(impostor.service, { name: 'us-west-1', ...(await createLinkToken(west.service)) }), {
    code: 'LinkAlreadyExists',
  });
});

test('a datacenter does not link itself, nor one that calls itself otherwise', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const itself = await createLinkToken(east.service);
  await t.rejects(linkDatacenter(east.service, { name: 'us-east-1', ...itself }), { code: 'ValidationFailed' });
  const { token, url } = await createLinkToken(west.service);
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-2', url, token }), {
    code: 'ValidationFailed',
    message: /is datacenter "us-west-1"/,
  });
  t.strictSame(await allLinks(east.service), []);
});

test('a flood of pairings without a token keeps nobody out who has one', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  const flood = async (body: string) => {
    const answer = await request(`${url}/link/pair`, { method: 'POST', body });
    await answer.body.dump();
    return answer.statusCode;
  };
  const statuses = new Set<number>();
  const stranger = JSON.stringify({ token: '0'.repeat(16), party: '{}', code: '0'.repeat(64) });
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all([stranger, '{}', 'x', '7'].flatMap((body) => [flood(body), flood(body)]));
    for (const status of answers) statuses.add(status);
  }
  t.ok(statuses.has(429), `the flood itself is slowed down: ${[...statuses]}`);
  t.notOk(statuses.has(500));
  t.ok((await linkDatacenter(east.service, { name: 'us-west-1', url, token })).created);
});

test('guesses at a token that was made are slowed down, each token by itself', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const tokens = [await createLinkToken(west.service), await createLinkToken(west.service)];
  const [guessed = '', other = ''] = tokens.map(({ token }) => token);
  const [, id = ''] = guessed.split('.');
  const body = JSON.stringify({ token: id, party: '{}', code: '0'.repeat(64) });
  const answers = Array.from({ length: 40 }, async () => {
    const answer = await request(`${west.url}/link/pair`, { method: 'POST', body });
    await answer.body.dump();
    return answer.statusCode;
  });
  t.strictSame([...new Set(await Promise.all(answers))].sort(), [401, 429]);
  t.ok((await linkDatacenter(east.service, { name: 'us-west-1', url: west.url, token: other })).created);
});

test('callers are remembered as far as there is room for them', async (t) => {
  const limiter = rateLimiter({ now: () => 0 }, 1);
  for (let at = 0; at < 25_000; at++) limiter.take(`caller ${at}`);
  for (let at = 0; at < 9; at++) limiter.take('caller 24999');
  t.throws(() => limiter.take('caller 24999'), { code: 'TooManyRequests' });
});

test('a mistyped name costs no token and leaves no half link', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  await t.rejects(linkDatacenter(east.service, { name: 'us-wset-1', url, token }), {
    code: 'ValidationFailed',
    message: /is datacenter "us-west-1", not "us-wset-1"/,
  });
  t.strictSame([await allLinks(east.service), await allLinks(west.service)], [[], []]);
  const report = await linkDatacenter(east.service, { name: 'us-west-1', url, token });
  t.ok(report.ok && report.created, 'the same token is still good');
});

test('whatever goes wrong here after the other recorded the link, it does not keep half of it', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  const { batch } = east.service.store;
  east.service.store.batch = async (writes) => {
    if (writes.some(({ bucket }) => bucket.name === 'imgapi_datacenters')) throw new Error('the disk is full');
    return batch.call(east.service.store, writes);
  };
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), /the disk is full/);
  t.strictSame([await allLinks(east.service), await allLinks(west.service)], [[], []]);
});

test('clocks that are apart are named, with what to mend', async (t) => {
  const { east, west } = await twoDatacenters(t);
  west.clock.ahead = 400_000;
  const report = await linkDatacenter(east.service, { name: 'us-west-1', ...(await createLinkToken(west.service)) });
  t.notOk(report.ok);
  t.match(report.problems, [{ problem: /40[01] s behind/, mend: /NTP/ }]);
});

test('a port where nobody listens is named, and nothing is linked', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token, url } = await createLinkToken(west.service);
  await west.stop();
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), {
    code: 'RemoteSourceError',
    message: /cannot be reached/,
  });
  t.strictSame(await allLinks(east.service), []);
});

test('a main port in place of the links port is said to be one, and nothing is linked', async (t) => {
  const { east, west } = await twoDatacenters(t);
  const { token } = await createLinkToken(west.service);
  const { url } = await startInProcess(t);
  await t.rejects(linkDatacenter(east.service, { name: 'us-west-1', url, token }), {
    code: 'RemoteSourceError',
    message: new RegExp(`^${url} pairs with nobody, .*links port \\(links\\.port`),
  });
  t.strictSame(await allLinks(east.service), []);
});
