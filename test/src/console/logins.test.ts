/** Logging in at the console: with a token that an operator makes, once, for a session that other sites cannot use. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { createLoginToken, expireLogins } from '#src/console/logins.ts';
import { ALICE } from '../../helpers/accounts.ts';
import { type ConfigKeys, type InProcess, startInProcess } from '../../helpers/imgapi.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import { type Asker, asker } from '../imgapi/fixtures/ask.ts';
import { AUTH_KEYS } from '../imgapi/fixtures/signing.ts';

const SIGNATURE = { mode: 'private', authType: 'signature', authKeys: AUTH_KEYS };
const MANIFEST = { name: 'a', version: '1', type: 'zone-dataset', os: 'smartos', owner: ALICE };

async function tokenOf(ask: Asker, { dataDir }: InProcess): Promise<string> {
  const secret = (await readFile(join(dataDir, 'keys', 'operator.token'), 'utf8')).trim();
  const made = await ask('/console/tokens', { method: 'POST', headers: { authorization: `Bearer ${secret}` } });
  return made.json.token;
}

const logIn = (ask: Asker, token: unknown) => ask('/console/login', { method: 'POST', json: { token } });

/** What a browser sends back. */
async function loggedIn(t: Test, keys: ConfigKeys = SIGNATURE) {
  const server = await startInProcess(t, keys);
  const ask = asker(t, server.url);
  const answer = await logIn(ask, await tokenOf(ask, server));
  t.equal(answer.status, 200);
  const given = answer.headers['set-cookie'] ?? '';
  return { server, ask, given, cookie: given.split(';')[0] ?? '' };
}

test('a token logs a browser in, once, and is made by operators alone', async (t) => {
  const server = await startInProcess(t, SIGNATURE);
  const ask = asker(t, server.url);
  t.match(await ask('/console/tokens', { method: 'POST' }), { status: 401 });
  const token = await tokenOf(ask, server);
  const answers = await Promise.all(Array.from({ length: 5 }, () => logIn(ask, token)));
  t.equal(answers.filter(({ status }) => status === 200).length, 1);
  for (const { status } of answers) t.ok([200, 401, 409].includes(status), `${status}`);
  t.match(await logIn(ask, token), { status: 401, json: { code: 'UnauthorizedError', message: /console-login/ } });
  for (const wrong of ['', 'x', `${token}x`, 'x'.repeat(43), 17, null]) {
    const { status } = await logIn(ask, wrong);
    t.ok(status === 401 || status === 422, `${wrong}: ${status}`);
  }
  for (const json of [{ tokne: token }, { token: [token] }, token]) {
    const refused = await ask('/console/login', { method: 'POST', json });
    t.match(refused, { status: 422, json: { code: 'ValidationFailed', message: /token must be what/ } });
    t.notOk(refused.text.includes(token), 'a token is not repeated');
  }
});

test('the cookie is for this site and this server alone, and no script reads it', async (t) => {
  const { given } = await loggedIn(t, { ...SIGNATURE, publicUrl: 'https://images.example.com/imgapi' });
  t.match(given, /; HttpOnly/);
  t.match(given, /; SameSite=Strict/);
  t.match(given, /; Path=\/imgapi\//);
  t.match(given, /; Secure/);
});

test('a session makes no further ones, and ends with the last key of its user', async (t) => {
  const { server, ask, cookie } = await loggedIn(t, { ...SIGNATURE, console: { write: true } });
  const headers = { cookie };
  t.match(await ask('/console/tokens', { method: 'POST', headers }), { status: 403, json: { code: 'OperatorOnly' } });
  const [name] = Object.keys(AUTH_KEYS);
  const { secret } = await createLoginToken(server.imgapi.service, String(name));
  const answer = await logIn(ask, secret);
  const theirs = { cookie: answer.headers['set-cookie']?.split(';')[0] ?? '' };
  const isOperator = async (sent: typeof headers) =>
    (await ask('/console/settings.json', { headers: sent })).json.operator;
  t.equal(await isOperator(theirs), true);
  await server.imgapi.takeKeys({});
  t.equal(await isOperator(theirs), false);
  t.equal(await isOperator(headers), true, 'the operator of the machine needs no key');
});

test('a session reads what operators read, and writes only where the console may', async (t) => {
  for (const write of [false, true]) {
    const { ask, cookie } = await loggedIn(t, { ...SIGNATURE, console: { write } });
    const headers = { cookie: `other=x; ${cookie}` };
    t.match((await ask('/console/settings.json', { headers })).json, { operator: true, write, user: 'operator' });
    t.match((await ask('/console/settings.json')).json, { operator: false, write: false });
    for (const path of ['/state', '/admin/findings', '/datacenters', '/copies']) {
      const version = { 'accept-version': '~3' };
      t.equal((await ask(path, { headers: { ...version, ...headers } })).status, 200, path);
      t.equal((await ask(path, { headers: version })).status, 401, path);
    }
    const made = await ask('/images', { method: 'POST', headers, json: MANIFEST });
    t.equal(made.status, write ? 200 : 401, `write ${write}`);
    const foreign = { ...headers, origin: 'https://evil.example.com' };
    t.equal((await ask('/images', { method: 'POST', headers: foreign, json: MANIFEST })).status, 400);
    await ask('/console/logout', { method: 'POST', headers });
    t.equal((await ask('/state', { headers })).status, 401, 'it has ended');
  }
});

test('who is logged in administers also where nothing is signed', async (t) => {
  const { ask, cookie } = await loggedIn(t, { authType: 'none' });
  t.match(await ask('/admin/findings', { headers: { cookie } }), { status: 200 });
  t.match(await ask('/admin/findings'), { status: 401 });
});

test('tokens and sessions expire, and are removed then', async (t) => {
  const clock = new TestClock();
  const server = await startInProcess(t, SIGNATURE, { clock });
  const ask = asker(t, server.url);
  const { store } = server.imgapi.service;
  const late = await tokenOf(ask, server);
  const used = await logIn(ask, await tokenOf(ask, server));
  const headers = { cookie: (used.headers['set-cookie'] ?? '').split(';')[0] ?? '' };
  t.equal(await expireLogins({ store }), 0);
  clock.ahead += 6 * 60_000;
  t.equal((await logIn(ask, late)).status, 401, 'five minutes are over');
  t.equal((await ask('/state', { headers })).status, 200);
  clock.ahead += 8 * 3_600_000;
  t.equal((await ask('/state', { headers })).status, 401, 'eight hours are over');
  t.equal(await expireLogins({ store }), 2);
  t.equal(await expireLogins({ store }), 0);
});
