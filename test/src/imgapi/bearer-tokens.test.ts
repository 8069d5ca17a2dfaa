/** Bearer tokens on the main port: for which requests they are good, and that nobody finds them afterwards. */
import { dirname } from 'node:path';
import { test } from 'tap';
import { IMGAPI } from '#lib/api/imgapi/operations.ts';
import { loadConfig } from '#src/service/config/load.ts';
import { ADMIN, ALICE, BOB, writeAccounts } from '../../helpers/accounts.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess } from '../../helpers/imgapi.ts';
import { AUDIENCE, goodClaims, ISSUER, issuerKey, keyServer, makeToken } from '../../helpers/token-issuer.ts';
import { waitFor } from '../../helpers/wait.ts';
import { asker } from './fixtures/ask.ts';
import { examplePath, ROUTES } from './fixtures/route-table.ts';

const key = issuerKey('one');
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
const tokenOf = (sub: string, more = {}): Record<string, string> =>
  bearer(makeToken(key, goodClaims({ sub, ...more })));
const MANIFEST = { name: 'a', version: '1', type: 'other', os: 'other' };

async function serverOf(t: Parameters<typeof startInProcess>[0], keys = {}) {
  const { url: jwksUrl } = await keyServer(t, [key]);
  const tokens = { issuer: ISSUER, audience: AUDIENCE, jwksUrl, operatorScope: 'imgapi:operate' };
  return startInProcess(t, { authType: 'signature', tokens, ...keys });
}

test("an account's token is good for its own requests, and opens nothing else", async (t) => {
  const { url, accountsFile } = await serverOf(t);
  const ask = asker(t, url);
  const alice = tokenOf(ALICE);
  const create = (account: string | undefined, headers: Record<string, string>) =>
    ask(`/images${account === undefined ? '' : `?account=${account}`}`, {
      ...{ method: 'POST', headers, json: { ...MANIFEST, owner: account ?? ADMIN } },
    });
  const made = await create(ALICE, alice);
  t.equal(made.status, 200, made.text);
  t.equal(made.json.owner, ALICE);
  const path = `/images/${made.json.uuid}`;

  for (const [what, headers, account] of [
    ["another account's requests", alice, BOB],
    ["an operator's requests", alice, undefined],
    ['a token by a name that is no UUID', tokenOf('alice'), ALICE],
    ['a token of an account that there is not', tokenOf('11111111-2222-4333-8444-555555555555'), ALICE],
    ["a sub-user's token", tokenOf(BOB, { account: ALICE }), ALICE],
    ["a sub-user's token, whatever its scope", tokenOf(BOB, { account: ALICE, scope: 'imgapi:operate' }), undefined],
    ['a token of a scope that makes nobody an operator', tokenOf(ALICE, { scope: 'operate imgapi' }), undefined],
    ['a token that is over', tokenOf(ALICE, { iat: 1, exp: 2 }), ALICE],
    ['no token', {}, ALICE],
  ] as const) {
    const answer = await create(account, headers);
    t.equal(answer.status, 401, what);
    t.equal(answer.json.code, 'UnauthorizedError', what);
    t.match(answer.headers['www-authenticate'], /^(Bearer|Signature)/, what);
    t.equal((await ask(`${path}?account=${BOB}`, { method: 'DELETE', headers: alice })).status, 401, what);
  }
  for (const spelled of [`account=${BOB}&account=${ALICE}`, `account[]=${ALICE}`, 'account=', `Account=${ALICE}`]) {
    const answer = await ask(`/images?${spelled}`, { method: 'POST', headers: alice, json: MANIFEST });
    t.ok(answer.status >= 400 && answer.status < 500, `${spelled}: ${answer.status}`);
  }
  t.equal((await ask(`${path}?account=${ALICE}`, { headers: alice })).status, 200);
  t.equal(
    (await create(undefined, tokenOf('ops@example.com', { scope: 'x imgapi:operate' }))).status,
    200,
    'an operator',
  );
  t.equal((await ask('/ping', { headers: tokenOf('sue', { scope: 'imgapi:operate' }) })).json.user, 'sue');

  await writeAccounts(dirname(accountsFile), [{ uuid: ALICE, login: 'alice', disabled: true }]);
  await waitFor('the disabled account is let in no more', async () => (await create(ALICE, alice)).status === 401);
});

test("what is for operators opens to no account's token, on no route", async (t) => {
  const { url, client } = await serverOf(t, { console: { write: true } });
  const { image } = await makeImage(
    client({ signer: () => tokenOf('sue', { scope: 'imgapi:operate' }) }),
    {},
    { owner: ALICE },
  );
  const ask = asker(t, url);
  const operatorsOnly = new Set(
    Object.values(IMGAPI)
      .filter(({ callers }) => !callers.some((kind) => ['stranger', 'sharee', 'owner'].includes(kind)))
      .map(({ method, path }) => `${method} ${path}`),
  );
  const forAccounts = new Set(
    Object.values(IMGAPI)
      .filter(({ callers }) => callers.some((kind) => ['stranger', 'sharee', 'owner'].includes(kind)))
      .map(({ method, path }) => `${method} ${path}`),
  );
  let count = 0;
  for (const [method, route, auth] of ROUTES) {
    if (auth === 'none' || route.includes('*')) continue;
    const path = examplePath(route, image.uuid);
    // Without an account it would be an operator's request, wherever anything is asked for.
    const bare = await ask(path, { method, headers: tokenOf(ALICE) });
    t.equal(bare.status, 401, `${method} ${path}: ${bare.text.slice(0, 100)}`);
    if (!operatorsOnly.has(`${method} ${route}`) || forAccounts.has(`${method} ${route}`)) continue;
    const own = await ask(`${path}?account=${ALICE}`, { method, headers: tokenOf(ALICE) });
    // Without an action nothing is done, for nobody.
    if (own.json?.code !== 'MissingParameter') t.equal(own.status, 401, `${method} ${path}: ${own.text.slice(0, 100)}`);
    count++;
  }
  t.ok(count > 10, `${count} routes of operators`);
  const shown = await ask(`/images/${image.uuid}?account=${ALICE}`, { headers: tokenOf(ALICE) });
  t.equal(shown.status, 200, shown.text);
});

test('while the keys cannot be had nobody is let in by a token, and signatures and strangers are served', async (t) => {
  const keys = await keyServer(t, [key]);
  keys.answer((request) => request.socket.destroy());
  const tokens = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: keys.url };
  const { url } = await startInProcess(t, { authType: 'signature', mode: 'public', tokens });
  const ask = asker(t, url);
  const answer = await ask('/images', { method: 'POST', headers: tokenOf('sue'), json: MANIFEST });
  t.equal(answer.status, 503);
  t.equal(answer.json.code, 'ServiceUnavailable');
  t.ok(Number(answer.headers['retry-after']) > 0);
  t.equal((await ask('/images')).status, 200);
});

test("without accounts only an operator's token is good, and without a scope for that none is", async (t) => {
  const { url } = await serverOf(t, { mode: 'private' });
  const ask = asker(t, url);
  t.equal((await ask(`/images?account=${ALICE}`, { headers: tokenOf(ALICE) })).status, 401);
  t.equal((await ask('/images?state=all', { headers: tokenOf('sue', { scope: 'imgapi:operate' }) })).status, 200);
});

test('a configuration that would make tokens worthless is refused', async (t) => {
  const base = { mode: 'private', authType: 'signature' };
  const good = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: 'https://login.example.com/keys' };
  for (const [keys, message] of [
    [{ authType: 'none', tokens: good }, /^configuration: tokens: not with authType "none"/m],
    [{ tokens: { ...good, jwksUrl: 'http://login.example.com/keys' } }, /tokens\.jwksUrl: .* must be an https URL/],
    [{ tokens: { ...good, jwksUrl: 'https://a:b@login.example.com/' } }, /tokens\.jwksUrl: must have no user/],
    [{ tokens: { ...good, jwksFile: '/x' } }, /tokens: needs jwksUrl or jwksFile, and not both/],
    [{ tokens: { issuer: ISSUER, audience: AUDIENCE } }, /tokens: needs jwksUrl or jwksFile/],
    [{ tokens: { ...good, issuer: '' } }, /tokens\.issuer/],
    [{ tokens: { ...good, audience: undefined } }, /tokens\.audience: missing/],
    [{ tokens: { ...good, operatorScope: 'two words' } }, /tokens\.operatorScope/],
    [{ tokens: { ...good, maxLifetimeSeconds: 1e9 } }, /tokens\.maxLifetimeSeconds/],
  ] as const) {
    await t.rejects(loadConfig(undefined, { ...base, ...keys }), { message }, JSON.stringify(keys));
  }
  const { config } = await loadConfig(undefined, { ...base, tokens: { ...good, jwksUrl: undefined, jwksFile: 'x' } });
  t.match(config.tokens, { jwksFile: /^\/.*\/x$/, clockToleranceSeconds: 30, maxLifetimeSeconds: 3600 });
});
