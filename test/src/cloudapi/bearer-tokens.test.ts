/** Bearer tokens of accounts at CloudAPI, by requests and by the commands. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t from 'tap';
import { tritonImage } from '#src/cli/triton-image/program.ts';
import { ADMIN, ALICE, BOB } from '../../helpers/accounts.ts';
import { asker, cloudapiInProcess, makePeople, type SubPerson, writePeople } from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { AUDIENCE, goodClaims, ISSUER, issuerKey, keyServer, makeToken } from '../../helpers/token-issuer.ts';
import { waitFor } from '../../helpers/wait.ts';
import { runCaptured } from '../cli/capture.ts';

const key = issuerKey('one');
const keys = await keyServer(t, [key]);
const alone = makePeople();
const [deploy, gone] = ['deploy', 'gone'].map(
  (login): SubPerson => ({ uuid: randomUUID(), login, keys: {}, disabled: login === 'gone' }),
) as [SubPerson, SubPerson];
const role = (name: string, members: string[]) => ({
  ...{ uuid: randomUUID(), name, members: ['deploy', 'gone'], default_members: members, policies: [name] },
});
const people = {
  ...alone,
  alice: {
    ...alone.alice,
    users: [deploy, gone],
    roles: [role('lookers', ['deploy', 'gone']), role('changers', [])],
    policies: [
      { name: 'lookers', rules: ['CAN getimage *'] },
      { name: 'changers', rules: ['CAN updateimage *', 'CAN getimage *'] },
    ],
  },
};
const server = await startInProcess(t);
const log: Record<string, unknown>[] = [];
const tokens = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: keys.url, operatorScope: 'operate' };
const cloudapi = await cloudapiInProcess(
  t,
  { people: Object.values(people), imgapi: server.url, keys: { tokens } },
  log,
);
const ask = asker(t, cloudapi.url);
const { image } = await makeImage(server.client({ account: ALICE }));
const tokenOf = (sub: string, more = {}): string => makeToken(key, goodClaims({ sub, ...more }));
const get = (path: string, token: string, more = {}) =>
  ask(path, { headers: { authorization: `Bearer ${token}`, ...more } });

t.test("a token is its account's, by whatever name the account is in the path", async (t) => {
  for (const name of ['my', 'alice', ALICE]) {
    const answer = await get(`/${name}/images/${image.uuid}`, tokenOf(ALICE));
    t.equal(answer.status, 200, name);
    t.equal(answer.json.id, image.uuid);
  }
  t.equal((await get(`/bob/images/${image.uuid}`, tokenOf(ALICE))).status, 403, "another account's path");
  t.equal((await get(`/my/images/${image.uuid}`, tokenOf(BOB))).status, 404, "another account's image");
  const bad = [tokenOf('alice'), tokenOf(ALICE, { aud: 'x' }), `${tokenOf(ALICE)}x`, tokenOf(ALICE, { exp: 1 }), 'a.b'];
  for (const token of bad) {
    const answer = await get('/my/images', token);
    t.equal(answer.status, 401);
    t.equal(answer.json.code, 'InvalidCredentials');
    t.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"');
  }
  t.equal((await get('/my/images', tokenOf(ALICE), { 'x-auth-token': 'x' })).status, 401, 'two tokens');
  t.equal((await ask(`/my/images?access_token=${tokenOf(ALICE)}`)).status, 401, 'a token in the URL');
});

t.test("a sub-user's token does what its roles allow, as its signature would", async (t) => {
  const path = `/my/images/${image.uuid}`;
  const token = tokenOf(deploy.uuid, { account: ALICE });
  for (const name of ['my', 'alice', ALICE]) {
    t.match(await get(`/${name}/images/${image.uuid}`, token), { status: 200, json: { id: image.uuid } }, name);
  }
  const update = (more = {}) =>
    ask(`${path}?action=update`, {
      ...{ method: 'POST', json: { description: 'theirs' } },
      headers: { authorization: `Bearer ${token}`, ...more },
    });
  t.match(await update(), { status: 403, json: { code: 'NotAuthorized' } }, 'no role by default allows it');
  t.match(await update({ role: 'changers' }), { status: 200, json: { description: 'theirs' } });
  t.equal((await get(path, token, { role: 'owners' })).status, 403, 'a role that it has not');
  t.equal((await get('/my/images', token)).status, 403, 'what no policy says');
  t.equal((await get(`/bob/images/${image.uuid}`, token)).status, 403, "another account's path");
  const operating = tokenOf(deploy.uuid, { account: ALICE, scope: 'operate' });
  t.equal((await get('/bob/images', operating)).status, 403, 'the scope makes nothing of a sub-user');
  t.equal((await get(path, tokenOf(gone.uuid, { account: ALICE }))).status, 403, 'one that is disabled');
  t.equal((await get(path, tokenOf(ALICE, { account: ALICE }))).status, 200, 'who is its own account is no sub-user');
});

t.test('whom a token names is told to nobody who is a stranger', async (t) => {
  const strangers = [
    tokenOf(randomUUID()),
    tokenOf(deploy.uuid),
    tokenOf(deploy.uuid, { account: BOB }),
    tokenOf(deploy.uuid, { account: randomUUID() }),
    tokenOf(deploy.uuid, { account: 'alice' }),
    tokenOf(randomUUID(), { account: ALICE }),
    tokenOf('deploy', { account: ALICE }),
    tokenOf(BOB, { account: ALICE }),
    tokenOf(ALICE, { account: BOB }),
  ];
  const answers = await Promise.all(strangers.map((token) => get('/my/images', token)));
  t.same(new Set(answers.map(({ status, json }) => `${status} ${json.code} ${json.message}`)).size, 1);
  t.match(answers[0], { status: 401, json: { code: 'InvalidCredentials' } });
  for (const account of [5, '', ['x'], null]) {
    t.match(await get('/my/images', tokenOf(deploy.uuid, { account })), { status: 401 }, JSON.stringify(account));
  }
});

t.test("the admin's token acts for others only with the scope of operators", async (t) => {
  t.equal((await get('/my', tokenOf(ADMIN))).status, 200);
  t.equal((await get('/alice/images', tokenOf(ADMIN))).status, 403);
  t.equal((await get('/alice/images', tokenOf(ADMIN, { scope: 'operate' }))).status, 200);
  t.equal((await get('/bob/images', tokenOf(ALICE, { scope: 'operate' }))).status, 403, 'the scope makes no admin');
});

t.test('a command sends the token of a file or the environment, and to nobody who could lose it', async (t) => {
  const directory = await temporaryFolder(t);
  const file = join(directory, 'token');
  await writeFile(file, `${tokenOf(ALICE)}\n`);
  const env = { HOME: directory, TRITON_URL: cloudapi.url, TRITON_ACCOUNT: 'alice' };
  const run = (words: readonly string[], more = {}) => runCaptured(tritonImage, words, { env: { ...env, ...more } });
  for (const result of [
    await run(['get', '--token-file', file, image.uuid]),
    await run(['get', image.uuid], { TRITON_TOKEN: tokenOf(ALICE) }),
    await run(['get', image.uuid], { SDC_TOKEN: tokenOf(ALICE) }),
  ]) {
    t.equal(result.code, 0, result.stderr);
    t.match(result.stdout, image.uuid);
  }
  const inClear = await run(['ls', '-U', 'http://cloudapi.example.com', '--token-file', file]);
  t.match(inClear.stderr, /is not sent to http:\/\/cloudapi\.example\.com/);
  t.match((await run(['ls', '--token-file', `${file}.gone`])).stderr, /the token cannot be read/);
  t.match((await run(['ls', '-u', 'deploy', '--token-file', file])).stderr, /not of the sub-user deploy/);
  const theirs = { TRITON_TOKEN: tokenOf(deploy.uuid, { account: ALICE }) };
  for (const words of [
    ['get', image.uuid],
    ['get', '-u', 'deploy', image.uuid],
  ]) {
    const { code, stdout, stderr } = await run(words, theirs);
    t.equal(code, 0, stderr);
    t.match(stdout, image.uuid);
  }
  t.match((await run(['deprecate', image.uuid], theirs)).stderr, /permission/);
  t.match(await run(['deprecate', '-r', 'changers', image.uuid], theirs), { code: 0 });
});

t.test('a disabled account is let in no more, and the log has no token', async (t) => {
  const shown = JSON.stringify(log);
  t.match(shown, /"alice"/);
  t.notMatch(shown, /eyJ[A-Za-z0-9_-]{20}/);
  await writePeople(dirname(cloudapi.accountsFile), [{ ...people.alice, disabled: true }]);
  await waitFor('the account to be disabled', async () => (await get('/my', tokenOf(ALICE))).status === 403);
});
