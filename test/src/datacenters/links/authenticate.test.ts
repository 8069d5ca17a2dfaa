import { test } from 'tap';
import { request } from 'undici';
import { COMMON_ERRORS, type ImgapiOperations } from '#lib/api/imgapi/form.ts';
import { LINKS } from '#lib/api/imgapi/links.ts';
import { StoreFullError } from '#lib/documents/errors.ts';
import { digestOf } from '#lib/signing/digest.ts';
import { generateKeys, parsePrivateKey } from '#lib/signing/keys.ts';
import { LINK_SIGNED_HEADERS, signRequest } from '#lib/signing/sign-request.ts';
import { linkSigner } from '#lib/signing/signers.ts';
import { keyIdOf } from '#src/datacenters/links/authenticate.ts';
import { LINK_NONCES } from '#src/datacenters/links/documents.ts';
import { expireLinkDocuments } from '#src/datacenters/links/link-tokens.ts';
import { newest, ownKeys, privateKeyOf } from '#src/datacenters/links/own-keys.ts';
import { ADMIN, PEOPLE } from '../../../helpers/accounts.ts';
import { clientOf, type Datacenter, linkedPair } from '../../../helpers/datacenter.ts';

async function signedHeaders(from: Datacenter, to: Datacenter, method: string, path: string, body = '') {
  const key = newest((await ownKeys(from.service)).value);
  const { host } = new URL(to.url);
  const sign = linkSigner({
    key: parsePrivateKey(key.privateKey),
    keyId: keyIdOf(from.name, key.fingerprint),
    clock: from.clock,
  });
  return { host, ...(await sign({ method, path, headers: { host }, body })) };
}

async function send(to: Datacenter, method: 'GET' | 'POST', path: string, headers: object, body?: string) {
  const answer = await request(`${to.url}${path}`, {
    method,
    headers: headers as Record<string, string>,
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.statusCode, json: (await answer.body.json()) as { code?: string; message?: string } };
}

test('a signed request of a linked datacenter passes, an unsigned one does not', async (t) => {
  const { east, west } = await linkedPair(t);
  const headers = await signedHeaders(east, west, 'GET', '/link/ping');
  t.equal((await send(west, 'GET', '/link/ping', headers)).status, 200);
  t.match(await send(west, 'GET', '/link/ping', {}), { status: 401, json: { code: 'UnauthorizedError' } });
});

test('the link listener serves nothing but link routes and pull links', async (t) => {
  const { west } = await linkedPair(t);
  for (const path of ['/images', '/ping', '/images/00000000-0000-0000-0000-000000000000', '/datacenters', '/state']) {
    t.equal((await send(west, 'GET', path, {})).status, 404, path);
  }
});

test('a key that no link records is refused', async (t) => {
  const { east, west } = await linkedPair(t);
  const { host } = new URL(west.url);
  const stranger = await generateKeys({ comment: 'stranger' });
  const key = parsePrivateKey(stranger.privatePem);
  for (const name of [east.name, 'nobody-1']) {
    const sign = linkSigner({ key, keyId: keyIdOf(name, stranger.fingerprints.sha256) });
    const headers = { host, ...(await sign({ method: 'GET', path: '/link/ping', headers: { host } })) };
    t.equal((await send(west, 'GET', '/link/ping', headers)).status, 401, name);
  }
});

test('a signature by another key under a known name is refused', async (t) => {
  const { east, west } = await linkedPair(t);
  const known = newest((await ownKeys(east.service)).value);
  const { host } = new URL(west.url);
  const stranger = parsePrivateKey((await generateKeys({ comment: 'stranger' })).privatePem);
  const sign = linkSigner({ key: stranger, keyId: keyIdOf(east.name, known.fingerprint) });
  const headers = { host, ...(await sign({ method: 'GET', path: '/link/ping', headers: { host } })) };
  t.match(await send(west, 'GET', '/link/ping', headers), { status: 401, json: { message: /does not verify/ } });
});

test('a clock that is off is named with the difference and what is allowed', async (t) => {
  const { east, west } = await linkedPair(t);
  east.clock.ahead = 301_500;
  const headers = await signedHeaders(east, west, 'GET', '/link/ping');
  const { status, json } = await send(west, 'GET', '/link/ping', headers);
  t.equal(status, 401);
  t.match(json.message, /30[12] s ahead of ours .* at most 300 s are allowed/);
});

test('the signature must cover target, host, date and digest', async (t) => {
  const { east, west } = await linkedPair(t);
  const key = newest((await ownKeys(east.service)).value);
  const { host } = new URL(west.url);
  for (const missing of LINK_SIGNED_HEADERS) {
    const signed = signRequest({
      method: 'GET',
      path: '/link/ping',
      headers: { host },
      key: parsePrivateKey(key.privateKey),
      keyId: keyIdOf(east.name, key.fingerprint),
      date: new Date(),
      digest: digestOf(),
      signed: LINK_SIGNED_HEADERS.filter((name) => name !== missing),
    });
    const answer = await send(west, 'GET', '/link/ping', { host, ...signed });
    t.match(answer, { status: 401, json: { message: /must cover/ } }, missing);
  }
});

test('a request that was signed for another path, method or host is not good here', async (t) => {
  const { east, west } = await linkedPair(t);
  const forPing = await signedHeaders(east, west, 'GET', '/link/ping');
  t.equal((await send(west, 'GET', '/link/blob?bytes=1', forPing)).status, 401);
  const forSomebodyElse = await signedHeaders(east, { ...west, url: 'http://127.0.0.1:9' }, 'GET', '/link/ping');
  t.match(await send(west, 'GET', '/link/ping', forSomebodyElse), {
    status: 401,
    json: { message: /signed for host "127.0.0.1:9"/ },
  });
});

test('a write that was recorded cannot be sent again', async (t) => {
  const { east, west } = await linkedPair(t);
  const headers = await signedHeaders(east, west, 'POST', '/link/echo', 'hello');
  t.match(await send(west, 'POST', '/link/echo', headers, 'hello'), { status: 200, json: { bytes: 5 } });
  t.match(await send(west, 'POST', '/link/echo', headers, 'hello'), { status: 401, json: { message: /nonce/ } });
});

test('nor later, to a process whose own clock is behind that of its database', async (t) => {
  const { east, west } = await linkedPair(t);
  const headers = await signedHeaders(east, west, 'POST', '/link/echo', 'hello');
  t.match(await send(west, 'POST', '/link/echo', headers, 'hello'), { status: 200 });
  Object.assign(west.service, { clock: { now: () => Date.now() } });
  west.clock.ahead = 11 * 60_000;
  t.ok(await expireLinkDocuments(west.service), 'its nonce is forgotten');
  t.match(await send(west, 'POST', '/link/echo', headers, 'hello'), { status: 401, json: { message: /clock/ } });
});

test('a write without a nonce is refused', async (t) => {
  const { east, west } = await linkedPair(t);
  const key = newest((await ownKeys(east.service)).value);
  const { host } = new URL(west.url);
  const signed = signRequest({
    method: 'POST',
    path: '/link/echo',
    headers: { host },
    key: parsePrivateKey(key.privateKey),
    keyId: keyIdOf(east.name, key.fingerprint),
    date: new Date(),
    digest: digestOf('hello'),
    signed: LINK_SIGNED_HEADERS,
  });
  t.equal((await send(west, 'POST', '/link/echo', { host, ...signed }, 'hello')).status, 401);
});

test('a body that is not the signed one is refused', async (t) => {
  const { east, west } = await linkedPair(t);
  const headers = await signedHeaders(east, west, 'POST', '/link/echo', 'hello');
  t.match(await send(west, 'POST', '/link/echo', headers, 'HELLO'), { status: 401, json: { message: /digest/ } });
});

test('a body larger than 1 MiB is refused', async (t) => {
  const { east, west } = await linkedPair(t);
  const body = 'x'.repeat(1024 * 1024 + 1);
  const headers = await signedHeaders(east, west, 'POST', '/link/echo', body);
  t.equal((await send(west, 'POST', '/link/echo', headers, body)).status, 413);
});

test('nonces are remembered for ten minutes, and then forgotten', async (t) => {
  const { east, west } = await linkedPair(t);
  await (await clientOf(east, west.name)).json({ method: 'POST', path: '/link/check' });
  const seen = await west.service.store.count(LINK_NONCES);
  t.ok(seen > 0);
  west.clock.ahead = 9 * 60_000;
  t.equal(await expireLinkDocuments(west.service), 0);
  west.clock.ahead = 11 * 60_000;
  t.equal(await expireLinkDocuments(west.service), seen);
});

test('where there is no room for a nonce, that is said, as the operation may', async (t) => {
  const { east, west } = await linkedPair(t);
  t.intercept(west.service.store, 'batch', {
    value: () => Promise.reject(new StoreFullError('the disk is full')),
  });
  for (const [name, { method, path, errors, auth }] of Object.entries<ImgapiOperations[string]>(LINKS)) {
    if (method === 'GET' || auth === 'none') continue;
    const answer = await send(west, method as 'POST', path, await signedHeaders(east, west, method, path));
    t.match(answer, { status: 507, json: { code: 'InsufficientStorage' } }, name);
    t.ok([...errors, ...COMMON_ERRORS].includes('InsufficientStorage'), `${name} may answer that`);
  }
});

test("the shared directory's key of that datacenter is accepted in place of a recorded one", async (t) => {
  const pair = await generateKeys({ comment: 'us-east-1 imgapi key', type: 'ecdsa' });
  const [admin, ...others] = PEOPLE;
  const accounts = [{ ...admin, keys: { 'us-east-1 imgapi key': pair.publicOpenssh } }, ...others];
  t.equal(admin.uuid, ADMIN);
  const { east, west } = await linkedPair(t, { west: { accounts } });
  const { host } = new URL(west.url);
  const key = parsePrivateKey(pair.privatePem);
  const sendAs = async (name: string) => {
    const sign = linkSigner({ key, keyId: keyIdOf(name, pair.fingerprints.sha256) });
    const headers = { host, ...(await sign({ method: 'GET', path: '/link/ping', headers: { host } })) };
    return (await send(west, 'GET', '/link/ping', headers)).status;
  };
  t.equal(await sendAs(east.name), 200);
  t.equal(await sendAs('us-east-2'), 401, 'but for no datacenter that is not linked');
});

test('the own key is parsed once, however often it is read from the store', async (t) => {
  const { east } = await linkedPair(t);
  const read = async () => privateKeyOf(newest((await ownKeys(east.service)).value));
  t.equal(await read(), await read());
});
