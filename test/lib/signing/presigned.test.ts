/** Requests that are signed by parameters of their query. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'tap';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import { parsePrivateKey } from '#lib/signing/keys.ts';
import { isPresigned, verifyPresigned } from '#lib/signing/presigned.ts';

const NOW = Date.parse('2026-05-06T07:08:09Z');
const EXPIRES = String(NOW / 1000 + 60);
const key = parsePrivateKey(
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
);
const OPTIONS = { keysOf: () => [key.publicKey], algorithms: ALGORITHMS, clock: { now: () => NOW } };
const QUERY = { algorithm: 'RSA-SHA256', expires: EXPIRES, keyId: '/alice/keys/one' };

/** Signs `METHODS\nHOST\nPATH\nQUERY`, as clients do. */
function asked(query: Readonly<Record<string, string>>, host = 'cloud:8443') {
  const pairs = Object.entries(query)
    .toSorted(([one], [other]) => one.localeCompare(other))
    .map(([name, value]) => `${name}=${encodeURIComponent(value).replace(/[!'()*]/g, percent)}`);
  const methods = (query['method'] ?? 'GET').split(',').toSorted().join(',');
  const text = `${methods}\n${host}\n/my/images\n${pairs.join('&')}`;
  const signature = sign('sha256', Buffer.from(text), key.keyObject).toString('base64');
  const path = `/my/images?${new URLSearchParams({ ...query, signature })}`;
  return { method: 'GET', path, headers: { host } };
}

function percent(character: string): string {
  return Buffer.from(character).toString('hex').toUpperCase().padStart(3, '%');
}

async function faultOf(request: ReturnType<typeof asked>, options = OPTIONS): Promise<SignatureError> {
  const error = await verifyPresigned(request, options).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof SignatureError) return error;
  throw new Error('a SignatureError was expected', { cause: error });
}

test('a URL that is signed for a method, a host, a path and its parameters', async (t) => {
  t.resolves(verifyPresigned(asked(QUERY), OPTIONS));
  t.resolves(verifyPresigned(asked({ ...QUERY, name: "it's (a) *test*!" }), OPTIONS));
  t.resolves(verifyPresigned(asked({ ...QUERY, method: 'PUT,GET' }), OPTIONS));
  t.resolves(verifyPresigned({ ...asked({ ...QUERY, method: 'PUT,GET' }), method: 'PUT' }, OPTIONS));
  const { path, method } = asked(QUERY);
  const seen = { method, path, headers: { host: 'inside' } };
  t.resolves(verifyPresigned(seen, { ...OPTIONS, asSent: { ...seen, headers: { host: 'cloud:8443' } } }));
});

test('nothing of it can be changed', async (t) => {
  const good = asked({ ...QUERY, name: 'mine' });
  for (const changed of [
    { ...good, path: good.path.replace('name=mine', 'name=yours') },
    { ...good, path: `${good.path}&owner=me` },
    { ...good, path: good.path.replace('/my/images', '/my/images/x') },
    { ...good, path: good.path.replace(EXPIRES, String(Number(EXPIRES) + 1)) },
    { ...good, headers: { host: 'elsewhere' } },
    { ...good, method: 'DELETE' },
  ]) {
    t.match(await faultOf(changed), { fault: 'bad-signature' }, JSON.stringify(changed));
  }
  t.match(await faultOf({ ...asked({ ...QUERY, method: 'GET' }), method: 'DELETE' }), { fault: 'malformed' });
  t.match(await faultOf(good, { ...OPTIONS, keysOf: () => [] }), { fault: 'unknown-key' });
});

test('it works until it expires, and only who had one is told so', async (t) => {
  const expired = asked({ ...QUERY, expires: String(NOW / 1000 - 1) });
  t.match(await faultOf(expired), { fault: 'expired', message: /expired at 2026-05-06T07:08:08/ });
  t.match(await faultOf({ ...expired, headers: { host: 'elsewhere' } }), { fault: 'bad-signature' });
  t.resolves(verifyPresigned(asked({ ...QUERY, expires: String(NOW / 1000) }), OPTIONS));
});

test('what is left out or given twice is named', async (t) => {
  const { path, ...rest } = asked(QUERY);
  const without = (name: string): string => path.replace(new RegExp(`([?&])${name}=[^&]*&?`), '$1');
  for (const name of ['algorithm', 'expires', 'keyId', 'signature']) {
    const error = await faultOf({ ...rest, path: without(name) });
    t.match(error, { fault: 'malformed', message: new RegExp(`parameters "${name}" are required`) });
  }
  t.match(await faultOf({ ...rest, path: `${path}&keyId=other` }), { message: /"keyId" is given more than once/ });
  for (const [name, value] of [
    ['expires', 'soon'],
    ['expires', '-1'],
    ['signature', '!'],
  ] as const) {
    const spoiled = path.replace(new RegExp(`${name}=[^&]*`), `${name}=${encodeURIComponent(value)}`);
    t.match(await faultOf({ ...rest, path: spoiled }), { fault: 'malformed' }, `${name}=${value}`);
  }
  t.match(await faultOf(asked({ ...QUERY, algorithm: 'hmac-sha256' })), { fault: 'unsupported-algorithm' });
});

test('a request without any of these parameters is not signed so', async (t) => {
  t.notOk(isPresigned({ path: '/my/images?name=x&method=GET' }));
  t.notOk(isPresigned({ path: '/my/images' }));
  t.ok(isPresigned({ path: '/my/images?keyId=x' }));
});
