/** Holds the double to how Manta finds out who asks, and what each may do. */
import { test } from 'tap';
import { asking } from './asking.ts';

const IN_A_MINUTE = (): Date => new Date(Date.now() + 60_000);

test('a signature may cover more than the date, but has to cover it', async (t) => {
  const { ask } = await asking(t);
  for (const signed of [['date'], ['(request-target)', 'host', 'date']]) {
    t.equal((await ask('GET', '/bob/stor', { signed })).status, 200, signed.join());
  }
  const without = await ask('GET', '/bob/stor', { signed: ['host'] });
  t.match(without, { status: 400, code: 'InvalidHeader', message: /date was not a signed header/ });
});

test('a clock that is more than 300 seconds off is refused, either way', async (t) => {
  const { ask, double } = await asking(t);
  for (const seconds of [-299, 299]) {
    t.equal((await ask('GET', '/bob/stor', { date: new Date(Date.now() + seconds * 1000) })).status, 200);
  }
  for (const seconds of [-310, 310]) {
    double.ahead = seconds * 1000;
    t.match(await ask('GET', '/bob/stor'), { status: 400, code: 'InvalidHeader', message: /clock skew/ });
  }
});

test('what is wrong with a key has a code of its own', async (t) => {
  const { ask } = await asking(t);
  const md5 = Array(16).fill('00').join(':');
  const cases = {
    [`/bob/keys/${md5}`]: 'KeyDoesNotExist',
    [`/carol/keys/${md5}`]: 'AccountDoesNotExist',
    [`/bob/sub/keys/${md5}`]: 'UserDoesNotExist',
    nonsense: 'InvalidKeyId',
  };
  for (const [keyId, code] of Object.entries(cases)) {
    t.match(await ask('GET', '/bob/stor', { keyId }), { status: 403, code }, keyId);
  }
});

test('a signature that does not fit is refused, and so are algorithms that are no public keys', async (t) => {
  const { ask } = await asking(t);
  const stranger = { as: 'nobody', headers: {} } as const;
  const header = (algorithm: string, keyId: string): string =>
    `Signature keyId="${keyId}",algorithm="${algorithm}",signature="AAAA"`;
  const date = new Date().toUTCString();
  const sent = (algorithm: string) =>
    ask('GET', '/bob/stor', { ...stranger, headers: { date, authorization: header(algorithm, '/bob/keys/x') } });
  t.match(await sent('hmac-sha256'), { status: 401, code: 'InvalidAlgorithm' });
  t.match(await sent('rot13'), { status: 400, code: 'InvalidHeader' });
  const signedByEve = await ask('GET', '/bob/stor', { as: 'eve' });
  t.match(signedByEve, { status: 403, code: 'AuthorizationFailed' });
});

test('a body-less HEAD tells a refusal by its status alone', async (t) => {
  const { ask } = await asking(t);
  t.match(await ask('HEAD', '/bob/stor', { as: 'eve' }), { status: 403, text: '' });
});

test('what is missing is 404 also to a stranger, and what is public is anybody’s to read', async (t) => {
  const { ask, put } = await asking(t);
  await put('/bob/stor/x', 'x');
  await put('/bob/public/x', 'x');
  t.match(await ask('GET', '/bob/stor/none', { as: 'eve' }), { status: 404, code: 'ResourceNotFound' });
  const anonymous = { as: 'nobody' } as const;
  const message = 'anonymous is not allowed to access /bob/stor/x';
  t.match(await ask('GET', '/bob/stor/x', anonymous), { status: 403, code: 'AuthorizationFailed', message });
  t.match(await ask('GET', '/bob/public/x', anonymous), { status: 200, text: 'x' });
});

test('in clear only public and presigned things can be had', async (t) => {
  const { ask, presign, put } = await asking(t, { settings: { cleartext: true } });
  t.match(await put('/bob/stor/x', 'x'), { status: 403, code: 'SecureTransportRequired' });
  t.match(await ask('GET', '/bob/public'), { status: 200 });
  const query = presign('/bob/stor', IN_A_MINUTE());
  t.match(await ask('GET', `/bob/stor?${query}`, { as: 'nobody' }), { status: 200 });
});

test('a presigned URL serves its methods on its path, until it expires', async (t) => {
  const { ask, presign, put, double } = await asking(t);
  await put('/bob/stor/x%20y', 'abc');
  const query = presign('/bob/stor/x%20y', IN_A_MINUTE());
  const asked = (method: string, url: string, headers = {}) => ask(method, url, { as: 'nobody', headers });
  t.match(await asked('GET', `/bob/stor/x%20y?${query}`), { status: 200, text: 'abc' });
  t.match(await asked('HEAD', `/bob/stor/x%20y?${query}`), { status: 200 });
  t.match(await asked('GET', `/bob/stor/x%20y?${query}`, { range: 'bytes=1-1' }), { status: 206, text: 'b' });
  t.match(await asked('DELETE', `/bob/stor/x%20y?${query}`), { code: 'InvalidQueryStringAuthentication' });
  t.match(await asked('GET', `/bob/stor?${query}`), { status: 403, code: 'InvalidSignature' }, 'another path');
  t.match(await asked('GET', `/bob/stor/x%20y?${query}&role=x`), { code: 'InvalidSignature' }, 'one more parameter');
  const incomplete = query.replace(/expires=\d+&/, '');
  const missing = { code: 'InvalidQueryStringAuthentication', message: 'parameters "expires" are required' };
  t.match(await asked('GET', `/bob/stor/x%20y?${incomplete}`), missing);
  double.ahead = 120_000;
  const expired = { status: 403, code: 'InvalidQueryStringAuthentication', message: 'request expired' };
  t.match(await asked('GET', `/bob/stor/x%20y?${query}`), expired);
});
