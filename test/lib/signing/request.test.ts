import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import httpSignature from 'http-signature';
import { test } from 'tap';
import { ALGORITHMS, type Algorithm, MODERN_ALGORITHMS } from '#lib/signing/algorithms.ts';
import { digestOf, verifyDigest } from '#lib/signing/digest.ts';
import { KeyError, SignatureError, type SignatureFault } from '#lib/signing/errors.ts';
import { type PrivateKey, parsePrivateKey } from '#lib/signing/keys.ts';
import {
  CLASSIC_SIGNED_HEADERS,
  LINK_SIGNED_HEADERS,
  NONCE_HEADER,
  type SignRequestOptions,
  signRequest,
} from '#lib/signing/sign-request.ts';
import type { RequestTarget } from '#lib/signing/signature-header.ts';
import { classicSigner, linkSigner } from '#lib/signing/signers.ts';
import { type VerifyRequestOptions, verifyRequest } from '#lib/signing/verify-request.ts';

const NOW = Date.parse('2026-05-06T07:08:09Z');
const clock = { now: () => NOW };

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

const KEYS: Readonly<Record<string, PrivateKey>> = {
  rsa: parsePrivateKey(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)),
  dsa: parsePrivateKey(pem(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey)),
  ecdsa: parsePrivateKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)),
  ed25519: parsePrivateKey(pem(generateKeyPairSync('ed25519').privateKey)),
};
const key = KEYS['ed25519'] as PrivateKey;
const other = parsePrivateKey(pem(generateKeyPairSync('ed25519').privateKey));

const LINK_REQUEST = {
  method: 'GET',
  path: '/images/0965c1f4-6995-c095-ecb5-c1a80be2b08e?account=a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef',
  headers: { host: 'imgapi.us-sw-1.example.com:8443' },
};

function signed(options: Partial<SignRequestOptions> = {}): RequestTarget {
  const { method, path, headers } = { ...LINK_REQUEST, ...options };
  const added = signRequest({
    ...LINK_REQUEST,
    key,
    keyId: 'us-west-1',
    date: new Date(NOW),
    signed: LINK_SIGNED_HEADERS,
    digest: digestOf(),
    ...options,
  });
  return { method, path, headers: { ...headers, ...added } };
}

const LINK_RULES: VerifyRequestOptions = {
  keysOf: (keyId) => (keyId === 'us-west-1' ? [other.publicKey, key.publicKey] : []),
  algorithms: MODERN_ALGORITHMS,
  required: LINK_SIGNED_HEADERS,
  clock,
};

async function faultOf(request: RequestTarget, rules: VerifyRequestOptions = LINK_RULES): Promise<SignatureError> {
  const error = await verifyRequest(request, rules).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof SignatureError) return error;
  throw new Error('a SignatureError was expected', { cause: error });
}

test('a signed request is verified with whichever key of that name signed it', async (t) => {
  const verified = await verifyRequest(signed(), LINK_RULES);
  t.equal(verified.keyId, 'us-west-1');
  t.equal(verified.key, key.publicKey);
  t.equal(verified.algorithm, 'ed25519-sha512');
  t.equal(verified.date.getTime(), NOW);
  t.strictSame(verified.signed, LINK_SIGNED_HEADERS);
  t.equal(verified.nonce, undefined);
});

test('keys may be looked up asynchronously', async (t) => {
  const verified = await verifyRequest(signed(), { ...LINK_RULES, keysOf: async () => [key.publicKey] });
  t.equal(verified.key, key.publicKey);
});

for (const algorithm of ALGORITHMS) {
  test(`${algorithm} signs and verifies`, async (t) => {
    const pair = KEYS[algorithm.split('-')[0] as string] as PrivateKey;
    const rules = { ...LINK_RULES, algorithms: ALGORITHMS, keysOf: () => [pair.publicKey] };
    const request = signed({ key: pair, algorithm });
    t.equal((await verifyRequest(request, rules)).algorithm, algorithm);
    t.equal((await faultOf({ ...request, path: '/images/other' }, rules)).fault, 'bad-signature');
  });
}

/** http-signature knows no SHA-384. */
const SHARED = ALGORITHMS.filter((algorithm) => !algorithm.endsWith('sha384'));

for (const algorithm of SHARED) {
  test(`${algorithm} as written by http-signature is verified here`, async (t) => {
    const pair = KEYS[algorithm.split('-')[0] as string] as PrivateKey;
    const headers: Record<string, string> = { host: 'h', digest: digestOf('{}') };
    httpSignature.sign(
      {
        method: 'POST',
        path: '/images?x=1',
        getHeader: (name: string) => headers[name.toLowerCase()],
        setHeader: (name: string, value: string) => {
          headers[name.toLowerCase()] = value;
        },
      } as never,
      { key: pem(pair.keyObject), keyId: 'them', algorithm, headers: [...LINK_SIGNED_HEADERS] },
    );
    const verified = await verifyRequest(
      { method: 'POST', path: '/images?x=1', headers },
      { ...LINK_RULES, clock: { now: Date.now }, algorithms: ALGORITHMS, keysOf: () => [pair.publicKey] },
    );
    t.equal(verified.keyId, 'them');
  });

  test(`${algorithm} as written here is verified by http-signature`, (t) => {
    const pair = KEYS[algorithm.split('-')[0] as string] as PrivateKey;
    const request = signed({ key: pair, algorithm, date: new Date() });
    const parsed = httpSignature.parseRequest({ ...request, url: request.path } as never, {
      headers: [...LINK_SIGNED_HEADERS],
    });
    t.ok(httpSignature.verifySignature(parsed, pair.publicKey.openssh));
    t.end();
  });
}

test('the classic scheme covers the date alone', async (t) => {
  const sign = classicSigner({ key: KEYS['rsa'] as PrivateKey, keyId: 'joe', clock });
  const headers = await sign({ ...LINK_REQUEST, body: '{}' });
  t.strictSame(Object.keys(headers).sort(), ['authorization', 'date']);
  t.match(headers['authorization'], /^Signature keyId="joe",algorithm="rsa-sha256",headers="date",signature="/);
  const classic: VerifyRequestOptions = {
    keysOf: (name) => (name === 'joe' ? [(KEYS['rsa'] as PrivateKey).publicKey] : []),
    algorithms: ['rsa-sha1', 'rsa-sha256', 'dsa-sha1'],
    required: CLASSIC_SIGNED_HEADERS,
    clock,
  };
  t.equal((await verifyRequest({ ...LINK_REQUEST, headers }, classic)).keyId, 'joe');
  const unnamed = headers['authorization']?.replace('headers="date",', '');
  t.equal(
    (await verifyRequest({ ...LINK_REQUEST, headers: { ...headers, authorization: unnamed } }, classic)).keyId,
    'joe',
  );
});

test('a signed x-date stands for the date', async (t) => {
  const xDate = new Date(NOW).toUTCString();
  const headers = { ...LINK_REQUEST.headers, 'x-date': xDate };
  const request = signed({ headers, date: new Date(NOW - 3_600_000), signed: ['x-date', 'host'] });
  t.equal((await verifyRequest(request, { ...LINK_RULES, required: ['date'] })).date.getTime(), NOW);
});

test('a link signs the digest of every body, and a nonce with each write', async (t) => {
  const sign = linkSigner({ key, keyId: 'us-west-1', clock });
  const read = await sign(LINK_REQUEST);
  t.equal(read['digest'], digestOf());
  t.notOk(NONCE_HEADER in read);
  const write = { ...LINK_REQUEST, method: 'POST', body: '{"a":1}' };
  const [one, two] = [await sign(write), await sign(write)];
  t.equal(one['digest'], digestOf('{"a":1}'));
  t.not(one[NONCE_HEADER], two[NONCE_HEADER]);
  const rules = { ...LINK_RULES, required: [...LINK_SIGNED_HEADERS, NONCE_HEADER] };
  const verified = await verifyRequest({ ...write, headers: { ...write.headers, ...one } }, rules);
  t.equal(verified.nonce, one[NONCE_HEADER]);
  t.equal(
    (await faultOf({ ...LINK_REQUEST, headers: { ...LINK_REQUEST.headers, ...read } }, rules)).fault,
    'unsigned-header',
  );
});

test('whatever is covered cannot be changed', async (t) => {
  const good = signed({ nonce: 'once' });
  const changes: Record<string, RequestTarget> = {
    method: { ...good, method: 'DELETE' },
    path: { ...good, path: '/images' },
    query: { ...good, path: `${good.path}&action=x` },
    host: { ...good, headers: { ...good.headers, host: 'elsewhere' } },
    date: { ...good, headers: { ...good.headers, date: new Date(NOW + 1000).toUTCString() } },
    digest: { ...good, headers: { ...good.headers, digest: digestOf('x') } },
    nonce: { ...good, headers: { ...good.headers, [NONCE_HEADER]: 'twice' } },
  };
  for (const [what, request] of Object.entries(changes)) {
    t.equal((await faultOf(request)).fault, 'bad-signature', what);
  }
});

test('clocks that differ by more than 300 s are named with both times and the difference', async (t) => {
  t.ok(await verifyRequest(signed({ date: new Date(NOW - 300_000) }), LINK_RULES));
  t.ok(await verifyRequest(signed({ date: new Date(NOW + 300_000) }), LINK_RULES));
  const behind = await faultOf(signed({ date: new Date(NOW - 412_000) }));
  t.equal(behind.fault, 'skew');
  t.match(behind.message, /2026-05-06T07:01:17.000Z\) is 412 s behind ours \(2026-05-06T07:08:09.000Z\).*300 s/);
  t.match(behind.skew, { seconds: -412, allowed: 300, requestTime: new Date(NOW - 412_000), ourTime: new Date(NOW) });
  t.match((await faultOf(signed({ date: new Date(NOW + 301_000) }))).skew, { seconds: 301 });
});

const good = signed();
const authorization = String(good.headers['authorization']);
const withAuthorization = (value: string | undefined): RequestTarget => ({
  ...good,
  headers: { ...good.headers, authorization: value },
});

const FAULTS: readonly [string, RequestTarget, SignatureFault, RegExp][] = [
  ['no Authorization header', withAuthorization(undefined), 'missing', /not signed/],
  ['another scheme', withAuthorization('Basic YTpi'), 'malformed', /scheme must be Signature/],
  ['an empty header', withAuthorization(''), 'malformed', /scheme/],
  ['nothing after the scheme', withAuthorization('Signature'), 'malformed', /signature is missing/],
  ['a parameter without quotes', withAuthorization('Signature keyId=us'), 'malformed', /character 0/],
  ['an open quote', withAuthorization('Signature keyId="us'), 'malformed', /character 0/],
  ['a parameter twice', withAuthorization(`${authorization},keyId="x"`), 'malformed', /keyId is given twice/],
  ['no keyId', withAuthorization(authorization.replace('keyId', 'kid')), 'malformed', /keyId is missing/],
  ['an empty keyId', withAuthorization(authorization.replace('us-west-1', '')), 'malformed', /keyId is missing/],
  ['no algorithm', withAuthorization(authorization.replace('algorithm', 'alg')), 'malformed', /algorithm is missing/],
  [
    'a signature that is no base64',
    withAuthorization('Signature signature="!",keyId="a",algorithm="b"'),
    'malformed',
    /base64/,
  ],
  [
    'an HMAC',
    withAuthorization(authorization.replace('ed25519-sha512', 'hmac-sha256')),
    'unsupported-algorithm',
    /rsa-sha256/,
  ],
  [
    'an unwanted algorithm',
    withAuthorization(authorization.replace('ed25519-sha512', 'rsa-sha1')),
    'unsupported-algorithm',
    /rsa-sha1/,
  ],
  [
    'another key type',
    withAuthorization(authorization.replace('ed25519-sha512', 'rsa-sha256')),
    'bad-signature',
    /us-west-1/,
  ],
  [
    'a header that is signed but absent',
    withAuthorization(authorization.replace(' digest', ' digest x-y')),
    'malformed',
    /"x-y"/,
  ],
  [
    'a header named like a property',
    withAuthorization(authorization.replace(' digest', ' digest constructor')),
    'malformed',
    /"constructor"/,
  ],
  [
    'an unknown pseudo-header',
    withAuthorization(authorization.replace(' digest', ' digest (created)')),
    'malformed',
    /created/,
  ],
  [
    'too few headers',
    withAuthorization(authorization.replace('host date digest', 'date')),
    'unsigned-header',
    /host, digest/,
  ],
  ['no header list', withAuthorization(authorization.replace(/headers="[^"]*",/, '')), 'unsigned-header', /host/],
  ['an unknown key', signed({ keyId: 'nobody' }), 'unknown-key', /"nobody" is unknown/],
  [
    'the key of somebody else',
    signed({ key: parsePrivateKey(pem(generateKeyPairSync('ed25519').privateKey)) }),
    'bad-signature',
    /does not verify/,
  ],
  [
    'a cut signature',
    withAuthorization(authorization.replace(/signature=".{8}/, 'signature="')),
    'bad-signature',
    /does not/,
  ],
  [
    'a date that is none',
    { ...good, headers: { ...good.headers, date: 'yesterday' } },
    'malformed',
    /not a date: "yesterday"/,
  ],
];

for (const [what, request, fault, message] of FAULTS) {
  test(`${what} is ${fault}`, async (t) => {
    const error = await faultOf(request);
    t.equal(error.fault, fault);
    t.match(error.message, message);
  });
}

test('an unsigned date is never trusted', async (t) => {
  const request = signed({ signed: ['host'] });
  t.equal((await faultOf(request, { ...LINK_RULES, required: ['host'] })).fault, 'unsigned-header');
  const backdated = { ...signed({ date: new Date(NOW - 900_000) }) };
  const headers = { ...backdated.headers, 'x-date': new Date(NOW).toUTCString() };
  t.equal((await faultOf({ ...backdated, headers })).fault, 'skew');
});

test('a key does not sign with the algorithm of another type, nor under a name that cannot be sent', (t) => {
  t.throws(() => signed({ algorithm: 'rsa-sha256' as Algorithm }), KeyError);
  t.throws(() => signed({ keyId: 'a"b' }), TypeError);
  t.throws(() => signed({ keyId: 'a\nb' }), TypeError);
  t.end();
});

test('a body is held against its digest', (t) => {
  verifyDigest(digestOf('{"a":1}'), Buffer.from('{"a":1}'));
  verifyDigest(digestOf(), undefined);
  verifyDigest(`MD5=abc, ${digestOf('x')}`, 'x');
  for (const header of [undefined, '', 'SHA-256=', 'MD5=abc', 'SHA-256=short=']) {
    t.throws(() => verifyDigest(header, 'x'), { fault: 'digest', message: /no SHA-256/ });
  }
  t.throws(() => verifyDigest(digestOf('x'), 'y'), { fault: 'digest', message: /does not match the signed digest/ });
  t.end();
});

test('key objects survive the way through sshpk unchanged', (t) => {
  for (const pair of Object.values(KEYS)) {
    t.ok(createPublicKey(createPrivateKey(pem(pair.keyObject))).equals(pair.publicKey.keyObject), pair.publicKey.type);
  }
  t.end();
});
