/** Which tokens are accepted. Those that are not are made by hand, as no library would make them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { bearerIn, tokenVerifier, type VerifyToken } from '#lib/tokens/bearer.ts';
import type { KeySource } from '#lib/tokens/issuer-keys.ts';
import { TokenRefusal } from '#lib/tokens/refusal.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import {
  AUDIENCE,
  type Claims,
  goodClaims,
  ISSUER,
  issuerKey,
  keyServer,
  macToken,
  makeToken,
  unsignedToken,
} from '../../helpers/token-issuer.ts';

const key = issuerKey('one');
const other = issuerKey('two');
const clock = new TestClock();

function verifier(keys: KeySource, cacheSeconds = 600): VerifyToken {
  const rules = { issuer: ISSUER, audience: AUDIENCE, keys, cacheSeconds };
  return tokenVerifier({ ...rules, clockToleranceSeconds: 30, maxLifetimeSeconds: 3600 }, clock);
}

async function refused(t: Test, verify: VerifyToken, token: string, fault: string, what: string): Promise<void> {
  const error: unknown = await verify(token).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TokenRefusal)) return void t.fail(`${what}: ${String(error)}`);
  t.equal(error.fault, fault, `${what}: ${error.message}`);
  const shown = `${error.message} ${error.stack} ${JSON.stringify(error.cause ?? null)}`;
  if (token.length > 40) t.notOk(shown.includes(token.slice(-40)), `${what}: the refusal holds nothing of the token`);
}

test('only ES256 by a key of the issuer is accepted, whatever the token says of itself', async (t) => {
  const server = await keyServer(t, [key]);
  const verify = verifier({ url: server.url });
  const claims = goodClaims({ sub: 'alice', scope: 'a b' });
  const bearer = await verify(makeToken(key, claims));
  t.same([bearer.subject, [...bearer.scopes]], ['alice', ['a', 'b']]);
  t.ok(await verify(makeToken(key, claims, { typ: 'at+jwt' })));
  const { kid } = key;
  const pem = key.publicKey.export({ type: 'spki', format: 'pem' });
  await refused(t, verify, unsignedToken(claims, { kid }), 'malformed', 'alg none');
  await refused(t, verify, `${unsignedToken(claims, { kid })}AA`, 'malformed', 'alg none with a signature');
  for (const alg of ['nOnE', 'ES384', 'RS256', 'HS256', 'EdDSA', '', null, 7, ['ES256']]) {
    await refused(t, verify, makeToken(key, claims, { alg }), 'malformed', `alg ${JSON.stringify(alg)}`);
  }
  await refused(t, verify, macToken(pem, claims, { kid }), 'malformed', 'a MAC with the public key, as PEM');
  await refused(t, verify, macToken(JSON.stringify(key.jwk), claims, { kid }), 'malformed', 'the same, as JWK');
  await refused(t, verify, makeToken({ ...other, kid }, claims), 'bad-signature', 'the key of somebody else');
  const own = { jwk: other.jwk, jku: server.url, x5u: server.url, x5c: ['AAAA'] };
  await refused(t, verify, makeToken({ ...other, kid }, claims, own), 'bad-signature', 'a key that it brings along');
  await refused(t, verify, makeToken(key, claims, { crit: ['exp'], exp: 1 }), 'malformed', 'crit');
  await refused(t, verify, makeToken(key, claims, { b64: false, crit: ['b64'] }), 'malformed', 'b64');
  t.ok(await verify(makeToken(key, claims, own)), 'such headers mean nothing');
  t.equal(server.asked(), 1);
});

test('a name of a key is a name: neither a path nor a large one leads anywhere', async (t) => {
  const server = await keyServer(t, [key]);
  const verify = verifier({ url: server.url });
  const claims = goodClaims({ sub: 'alice' });
  await verify(makeToken(key, claims));
  const names = ['../../../dev/null', '/dev/null', 'http://127.0.0.1/', "' or 1=1", '__proto__', 'constructor', '\0'];
  for (const kid of names) await refused(t, verify, makeToken(key, claims, { kid }), 'unknown-key', kid);
  for (const kid of [undefined, '', null, 1, {}, ['one'], 'k'.repeat(257)]) {
    await refused(t, verify, makeToken(key, claims, { kid }), 'malformed', String(kid).slice(0, 20));
  }
  t.equal(server.asked(), 1, 'unknown names do not have the keys fetched over and over');
});

test('a token is for this issuer and audience, for a short time, and not bound to somebody', async (t) => {
  const server = await keyServer(t, [key]);
  const verify = verifier({ url: server.url });
  const now = Math.floor(clock.now() / 1000);
  const cases: readonly [what: string, claims: Claims, fault: string][] = [
    ['over', { exp: now - 40, iat: now - 600 }, 'expired'],
    ['without an end', { exp: undefined }, 'claims'],
    ['an end that is a text', { exp: String(now + 600) }, 'claims'],
    ['without a beginning', { iat: undefined }, 'claims'],
    ['too long', { exp: now + 3700 }, 'claims'],
    ['for ever', { exp: 1e300 }, 'claims'],
    ['not yet', { nbf: now + 60 }, 'expired'],
    ['of the future', { iat: now + 60, exp: now + 120 }, 'expired'],
    ['another audience', { aud: 'imgapi.us-west-1' }, 'claims'],
    ['other audiences', { aud: ['a', 'b'] }, 'claims'],
    ['no audience', { aud: undefined }, 'claims'],
    ['another issuer', { iss: `${ISSUER}/` }, 'claims'],
    ['no issuer', { iss: undefined }, 'claims'],
    ['nobody', { sub: undefined }, 'claims'],
    ['no text as a name', { sub: { $ne: '' } }, 'claims'],
    ['a name of two lines', { sub: 'alice\nadmin' }, 'claims'],
    ['a long name', { sub: 'a'.repeat(300) }, 'claims'],
    ['bound to a key', { cnf: { jkt: 'x' } }, 'claims'],
  ];
  for (const [what, claims, fault] of cases) {
    await refused(t, verify, makeToken(key, goodClaims({ sub: 'alice', ...claims })), fault, what);
  }
  await refused(t, verify, makeToken(key, goodClaims({ sub: 'a' }), { typ: 'logout+jwt' }), 'claims', 'another type');
  t.ok(await verify(makeToken(key, goodClaims({ sub: 'a', aud: ['x', AUDIENCE], exp: now - 20, iat: now - 60 }))));
});

test('what is no token is refused at once', async (t) => {
  const server = await keyServer(t, [key]);
  const verify = verifier({ url: server.url });
  const huge = makeToken(key, goodClaims({ sub: 'a', more: 'x'.repeat(9000) }));
  const strange = ['', '.', '..', 'a.b', 'a.b.c', 'a.b.c.d.e', `${'a'.repeat(3000)}.b.c`, 'é.b.c', huge];
  for (const text of strange) await refused(t, verify, text, 'malformed', text.slice(0, 20));
  const [header, , signature] = makeToken(key, goodClaims({ sub: 'a' })).split('.');
  for (const payload of ['[]', '7', 'null', '{', '"a"']) {
    const token = `${header}.${Buffer.from(payload).toString('base64url')}.${signature}`;
    await refused(t, verify, token, 'bad-signature', payload);
  }
  t.equal(bearerIn(' bearer  abc '), 'abc');
  t.equal(bearerIn('Bearer a \t b  '), 'a \t b');
  t.equal(bearerIn('Bearer'), undefined);
  t.equal(bearerIn('Bearer  '), undefined);
  t.equal(bearerIn('Signature a.b.c'), undefined);
  t.equal(bearerIn(undefined), undefined);
});

test('a new key is found, one that was taken back is forgotten', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'tokens-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'jwks.json');
  const write = (keys: readonly object[]): Promise<void> => writeFile(file, JSON.stringify({ keys }));
  await write([key.jwk]);
  const verify = verifier({ file }, 0.02);
  const claims = goodClaims({ sub: 'alice' });
  t.ok(await verify(makeToken(key, claims)));
  await write([other.jwk]);
  await t.resolves(
    until(() => verify(makeToken(other, claims))),
    'the new key',
  );
  await refused(t, verify, makeToken(key, claims), 'unknown-key', 'the old key');
  await write([other.jwk, { ...key.jwk, kid: 'two' }]);
  await t.resolves(
    until(() => isRefused(verify, makeToken(other, claims), 'unknown-key')),
    'two keys of one name',
  );
  const p384 = issuerKey('p384', 'P-384');
  await write([p384.jwk, { kty: 'oct', kid: 'mac', k: 'AAAA' }, other.jwk]);
  await t.resolves(until(() => verify(makeToken(other, claims))));
  await refused(t, verify, makeToken({ ...other, kid: 'p384' }, claims), 'unknown-key', 'a key of another curve');
  await refused(t, verify, makeToken({ ...other, kid: 'mac' }, claims), 'unknown-key', 'a secret');
});

test('without the keys no token is good, and a server of keys that is ill is asked now and then', async (t) => {
  const server = await keyServer(t, [key]);
  const claims = goodClaims({ sub: 'alice' });
  const ill: readonly [string, Parameters<typeof server.answer>[0]][] = [
    ['down', (request) => request.socket.destroy()],
    ['500', (_request, response) => response.writeHead(500).end('{"keys":[]}')],
    ['elsewhere', (_request, response) => response.writeHead(302, { location: server.url }).end()],
    ['no JSON', (_request, response) => response.end('<html>')],
    ['no set', (_request, response) => response.end('{"keys":{}}')],
    ['huge', (_request, response) => response.end(JSON.stringify({ keys: [key.jwk], pad: 'x'.repeat(100_000) }))],
  ];
  for (const [what, answer] of ill) {
    server.answer(answer);
    const verify = verifier({ url: server.url });
    const before = server.asked();
    for (let i = 0; i < 5; i++) await refused(t, verify, makeToken(key, claims), 'keys-unavailable', what);
    t.equal(server.asked() - before, 1, `${what}: it is not asked for each request`);
    server.serve([key]);
    clock.ahead += 6000;
    t.ok(await verify(makeToken(key, claims)), `${what}: it is asked again`);
  }
  // An answer that never ends: it is given up, and meanwhile all wait for the same one.
  server.answer((_request, response) => response.write('{"keys":['));
  const verify = verifier({ url: server.url });
  const before = server.asked();
  const all = Array.from({ length: 5 }, () => isRefused(verify, makeToken(key, claims), 'keys-unavailable'));
  await Promise.all(all);
  t.equal(server.asked() - before, 1);
});

test('keys whose time is over are not used while they cannot be fetched', async (t) => {
  const server = await keyServer(t, [key]);
  const verify = verifier({ url: server.url }, 0.05);
  const token = makeToken(key, goodClaims({ sub: 'alice' }));
  t.ok(await verify(token));
  server.answer((request) => request.socket.destroy());
  await t.resolves(until(() => isRefused(verify, token, 'keys-unavailable')));
});

async function isRefused(verify: VerifyToken, token: string, fault: string): Promise<void> {
  const error: unknown = await verify(token).catch((thrown: unknown) => thrown);
  if (!(error instanceof TokenRefusal) || error.fault !== fault) throw new Error(`not refused: ${String(error)}`);
}

/** Tries until it succeeds, for ten seconds. */
async function until<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 500; ; left--) {
    try {
      return await attempt();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
