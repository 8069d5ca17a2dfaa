/** HTTP signatures on the main port: real requests signed by two implementations with every kind of key. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { join } from 'node:path';
import httpSignature from 'http-signature';
import { test } from 'tap';
import { ALGORITHMS, partsOf } from '#lib/signing/algorithms.ts';
import { classicSigner } from '#lib/signing/signers.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { asker } from './fixtures/ask.ts';
import { imageRecord, putRecords } from './fixtures/records.ts';
import { DC_ONLY, examplePath, ROUTES } from './fixtures/route-table.ts';
import { AUTH_KEYS, KEY_NAMES, KEYS, pemOf, signedHeaders, UNKNOWN_KEY } from './fixtures/signing.ts';

const CONFIG = { authType: 'signature', authKeys: AUTH_KEYS };

test("a request signed with any key of the user, by any algorithm of that key, is the user's", async (t) => {
  const { url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  let count = 0;
  for (const name of KEY_NAMES) {
    const key = KEYS[name];
    const fitting = ALGORITHMS.filter((algorithm) => partsOf(algorithm).keyType === key.publicKey.type);
    for (const algorithm of [undefined, ...fitting]) {
      const headers = signedHeaders({ key, ...(algorithm === undefined ? {} : { algorithm }) });
      const answer = await ask('/ping', { headers });
      t.equal(answer.json.user, 'sue', `${name} ${algorithm}`);
      count++;
    }
  }
  t.ok(count >= 12);
});

test('requests signed by the http-signature library are taken, with every kind of key', async (t) => {
  const { url } = await startInProcess(t, CONFIG);
  const send = (sign: (sent: ClientRequest) => void): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const sent = request(`${url}/ping`, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      sent.on('error', reject);
      sign(sent);
      sent.end();
    });
  // The library knows no SHA-384.
  for (const name of KEY_NAMES.filter((other) => other !== 'ecdsa P-384')) {
    const options = { key: pemOf(KEYS[name]), keyId: 'sue' };
    for (const headers of [['date'], ['date', 'host'], ['(request-target)', 'date']]) {
      const { status, body } = await send((sent) => void httpSignature.sign(sent, { ...options, headers }));
      t.equal(status, 200, `${name} ${headers}: ${body}`);
      t.equal(JSON.parse(body).user, 'sue');
    }
    const undated = await send((sent) => void httpSignature.sign(sent, { ...options, headers: ['host'] }));
    t.equal(undated.status, 401, 'the date has to be signed');
  }
});

test('the client signs its writes, and they are made', async (t) => {
  const { client } = await startInProcess(t, { ...CONFIG, mode: 'public' });
  for (const name of KEY_NAMES) {
    const signed = client({ signer: classicSigner({ key: KEYS[name], keyId: 'sue' }) });
    const manifest = { name: 'a', version: '1', type: 'other', os: 'other', public: true, owner: randomUUID() };
    t.equal((await signed.createImage(manifest)).state, 'unactivated', name);
  }
  const unsigned = client();
  await t.rejects(unsigned.createImage({ name: 'a' }), { statusCode: 401, code: 'UnauthorizedError' });
});

/** Seconds by which clocks may differ. */
const SKEW = 300;

function minutesOff(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}

test('what is not signed as it should be is 401, and says no more than it must', async (t) => {
  const { url } = await startInProcess(t, CONFIG);
  const ask = asker(t, url);
  const good = signedHeaders();
  const { authorization = '' } = good;
  const changed = (from: RegExp, to: string) => ({ ...good, authorization: authorization.replace(from, to) });
  const bad: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'an unknown user': signedHeaders({ user: 'mallory' }),
    'no user': changed(/keyId="[^"]*"/, 'keyId=""'),
    'a key of nobody': signedHeaders({ key: UNKNOWN_KEY }),
    'a clock that is behind': signedHeaders({ date: minutesOff(-SKEW - 20) }),
    'a clock that is ahead': signedHeaders({ date: minutesOff(SKEW + 20) }),
    'another date': { ...good, date: minutesOff(-30).toUTCString() },
    'no date': { authorization },
    'another algorithm': changed(/algorithm="[^"]*"/, 'algorithm="rsa-sha256"'),
    'a shared secret': changed(/algorithm="[^"]*"/, 'algorithm="hmac-sha256"'),
    'an algorithm that there is not': changed(/algorithm="[^"]*"/, 'algorithm="none"'),
    'a signature of something else': changed(/signature="[^"]*"/, 'signature="c29tZXRoaW5nIGVsc2U="'),
    'an empty signature': changed(/signature="[^"]*"/, 'signature=""'),
    'another scheme': { ...good, authorization: 'Basic c3VlOnNlY3JldA==' },
    'a scheme alone': { ...good, authorization: 'Signature' },
    nonsense: { ...good, authorization: 'Signature keyId=,,,"' },
    nothing: { ...good, authorization: '' },
  };
  for (const path of ['/state', '/ping']) {
    for (const [what, headers] of Object.entries(bad)) {
      const answer = await ask(path, { headers });
      t.equal(answer.status, 401, `${path} with ${what}: ${answer.text}`);
      t.equal(answer.json.code, 'UnauthorizedError');
      t.equal(answer.headers['www-authenticate'], 'Signature');
    }
  }
  const bodies = await Promise.all(
    ['an unknown user', 'a key of nobody', 'another date', 'a signature of something else'].map(
      async (what) => (await ask('/state', { headers: bad[what]! })).text,
    ),
  );
  t.equal(new Set(bodies).size, 1, 'who is known is not told');
  for (const seconds of [-SKEW + 30, SKEW - 30]) {
    t.equal((await ask('/state', { headers: signedHeaders({ date: minutesOff(seconds) }) })).status, 200);
  }
});

test('each route looks at signatures as it should: always, when there is one, or never', async (t) => {
  const { imgapi, url } = await startInProcess(t, { ...CONFIG, mode: 'private' });
  const ask = asker(t, url);
  await putRecords(imgapi.service, [imageRecord('active')]);
  const forged = signedHeaders({ key: UNKNOWN_KEY });
  const REFUSED = { code: 'UnauthorizedError', message: 'Unauthorized' };
  for (const [method, path, auth] of ROUTES) {
    if (DC_ONLY.includes(path)) continue;
    const send = (headers: Readonly<Record<string, string>>, query = '') =>
      ask(examplePath(path, randomUUID()) + query, { method, headers });
    const what = `${method} ${path} (${auth})`;
    const wrong = await send(forged);
    if (auth === 'none' || auth === 'lenient') t.notMatch(wrong.json, REFUSED, what);
    else t.match({ status: wrong.status, ...wrong.json }, { status: 401, ...REFUSED }, what);
    const none = await send({});
    if (auth === 'strict') {
      t.match({ status: none.status, code: none.json?.code }, { status: 401, code: 'UnauthorizedError' }, what);
    }
    // Links and maintenance have a rule of their own for those who do not sign.
    else if (!/^\/(datacenters|admin|pulls|console\/tokens)/.test(path)) t.not(none.status, 401, what);
    const signed = await send(signedHeaders());
    if (!path.startsWith('/pulls')) t.not(signed.status, 401, what);
  }
});

test('with authType none nobody looks at signatures, and nobody is known by one', async (t) => {
  const { url } = await startInProcess(t, { authKeys: AUTH_KEYS });
  const ask = asker(t, url);
  for (const headers of [signedHeaders(), signedHeaders({ key: UNKNOWN_KEY }), { authorization: 'nonsense' }]) {
    t.equal((await ask('/state', { headers })).status, 200);
    t.equal((await ask('/ping', { headers })).json.user, undefined);
  }
});

test('keys of files are added to those of the config, and read again when asked to', async (t) => {
  const { url, dataDir } = await startInProcess(t, { ...CONFIG, authKeys: { sue: [KEYS.rsa.publicKey.openssh] } });
  const ask = asker(t, url);
  const userOf = async (user: string, name: keyof typeof KEYS): Promise<unknown> =>
    (await ask('/ping', { headers: signedHeaders({ user, key: KEYS[name] }) })).json.user;
  const reload = () => ask('/authkeys/reload', { method: 'POST', headers: signedHeaders({ key: KEYS.rsa }) });
  t.equal(await userOf('sue', 'rsa'), 'sue');
  t.equal(await userOf('bob', 'ed25519'), undefined);

  const folder = join(dataDir, 'authkeys');
  await mkdir(folder, { recursive: true });
  const { openssh } = KEYS.ed25519.publicKey;
  await writeFile(join(folder, 'bob.keys'), `# Bob's keys\n\n  ${openssh}  \nssh-rsa nonsense\nnot a key\n`);
  await writeFile(join(folder, 'sue.keys'), KEYS['ecdsa P-256'].publicKey.openssh);
  await writeFile(join(folder, 'carol.pub'), openssh);
  t.equal(await userOf('bob', 'ed25519'), undefined, 'not before they are read');
  const reloaded = await reload();
  t.equal(reloaded.status, 200);
  t.strictSame(reloaded.json, {});
  t.equal(await userOf('bob', 'ed25519'), 'bob');
  t.equal(await userOf('sue', 'ecdsa P-256'), 'sue');
  t.equal(await userOf('sue', 'rsa'), 'sue', 'beside the one in the config');
  t.equal(await userOf('carol', 'ed25519'), undefined);

  await writeFile(join(folder, 'bob.keys'), '');
  await reload();
  t.equal(await userOf('bob', 'ed25519'), undefined, 'what is taken away is gone');
});
