/** The form of http-signature 0.9, `Signature keyId="…",algorithm="…" BASE64` over the bare date. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'tap';
import { ALGORITHMS } from '#lib/signing/algorithms.ts';
import { SignatureError } from '#lib/signing/errors.ts';
import { type PrivateKey, parsePrivateKey } from '#lib/signing/keys.ts';
import { signRequest } from '#lib/signing/sign-request.ts';
import type { HeaderValues, RequestTarget } from '#lib/signing/signature-header.ts';
import { type VerifyRequestOptions, verifyRequest } from '#lib/signing/verify-request.ts';

const NOW = Date.parse('2026-05-06T07:08:09Z');
const DATE = new Date(NOW).toUTCString();
const pem = ({ privateKey }: { privateKey: KeyObject }): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const KEYS: Readonly<Record<string, PrivateKey>> = {
  rsa: parsePrivateKey(pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))),
  dsa: parsePrivateKey(pem(generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }))),
  ecdsa: parsePrivateKey(pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }))),
  ed25519: parsePrivateKey(pem(generateKeyPairSync('ed25519'))),
};
const rsa = KEYS['rsa'] as PrivateKey;

const rulesFor = (key: PrivateKey): VerifyRequestOptions => ({
  keysOf: () => [key.publicKey],
  algorithms: ALGORITHMS,
  required: ['date'],
  clock: { now: () => NOW },
  olderForm: true,
});
const RULES = rulesFor(rsa);

const signed = (text: string, key = rsa, algorithm = 'rsa-sha256'): string => {
  const [, hash = ''] = algorithm.split('-');
  const how = algorithm.startsWith('ed25519') ? null : hash;
  return sign(how, Buffer.from(text), key.keyObject).toString('base64');
};
const request = (headers: HeaderValues): RequestTarget => ({ method: 'GET', path: '/my/images', headers });
const older = (date: string, more: HeaderValues = {}, params = ''): RequestTarget =>
  request({
    date,
    authorization: `Signature keyId="/a/keys/b",algorithm="rsa-sha256"${params} ${signed(date)}`,
    ...more,
  });

async function faultOf(asked: RequestTarget, rules = RULES): Promise<SignatureError> {
  const error = await verifyRequest(asked, rules).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof SignatureError) return error;
  throw new Error('a SignatureError was expected', { cause: error });
}

for (const algorithm of ALGORITHMS) {
  test(`${algorithm} in the older form`, async (t) => {
    const key = KEYS[algorithm.split('-')[0] as string] as PrivateKey;
    for (const named of [algorithm, algorithm.toUpperCase()]) {
      const authorization = `Signature keyId="/a/keys/b",algorithm="${named}" ${signed(DATE, key, algorithm)}`;
      const verified = await verifyRequest(request({ date: DATE, authorization }), rulesFor(key));
      t.match(verified, { keyId: '/a/keys/b', algorithm, signed: ['date'] });
      t.equal(verified.date.getTime(), NOW);
    }
  });
}

test('x-date goes before date, and a date may be named', async (t) => {
  const [, authorization] = Object.values(older(DATE).headers);
  t.match(await verifyRequest(request({ 'x-date': DATE, date: 'never', authorization }), RULES), {
    signed: ['x-date'],
  });
  t.ok(await verifyRequest(older(DATE, {}, ',headers="date"'), RULES));
  t.ok(await verifyRequest(older('Wed, 6 May 2026 07:08:09 +0000'), RULES));
});

test('a date of another time is refused as in the newer form, once the signature is good', async (t) => {
  t.equal((await faultOf(older(new Date(NOW - 301_000).toUTCString()))).fault, 'skew');
  t.equal((await faultOf(older(new Date(NOW + 301_000).toUTCString()))).fault, 'skew');
  t.ok(await verifyRequest(older(new Date(NOW - 300_000).toUTCString()), RULES));
  t.equal((await faultOf(older(DATE, { date: new Date(NOW - 400_000).toUTCString() }))).fault, 'bad-signature');
  t.equal((await faultOf(older('long ago'))).fault, 'malformed');
});

test('what was signed in the newer form does not verify in this one', async (t) => {
  const { authorization = '' } = signRequest({
    ...{ method: 'GET', path: '/my/images', headers: {}, key: rsa, keyId: '/a/keys/b', date: new Date(NOW) },
    signed: ['date', '(request-target)'],
  });
  const [, signature] = /signature="([^"]+)"/.exec(authorization) ?? [];
  const lines = { date: `date: ${DATE}`, 'x-target': '(request-target): get /my/images' };
  const moved = `Signature keyId="/a/keys/b",algorithm="rsa-sha256",headers="date x-target" ${signature}`;
  const error = await faultOf({ method: 'DELETE', path: '/my/images/x', headers: { ...lines, authorization: moved } });
  t.match(error, { fault: 'malformed', message: /only date can be signed/ });
  const alone = `Signature keyId="/a/keys/b",algorithm="rsa-sha256" ${signed(lines.date)}`;
  t.match(await faultOf(request({ date: lines.date, authorization: alone })), { fault: 'malformed' });
});

test('it is refused where nobody asked for it, and where more must be signed', async (t) => {
  t.match(await faultOf(older(DATE), { ...RULES, olderForm: false }), { fault: 'malformed' });
  t.match(await faultOf(older(DATE), { ...RULES, required: ['date', 'host'] }), { fault: 'unsigned-header' });
});

test('what is not of this form is not taken for it', async (t) => {
  const faults = [
    'keyId="/a/keys/b" AAAA',
    'algorithm="rsa-sha256" AAAA',
    'keyId="/a/keys/b",algorithm="rsa-sha256" A=A',
  ];
  for (const text of faults) {
    t.match(await faultOf(request({ date: DATE, authorization: `Signature ${text}` })), { fault: 'malformed' }, text);
  }
  const hmac = 'Signature keyId="/a/keys/b",algorithm="hmac-sha256" AAAA';
  t.match(await faultOf(request({ date: DATE, authorization: hmac })), { fault: 'unsupported-algorithm' });
});
