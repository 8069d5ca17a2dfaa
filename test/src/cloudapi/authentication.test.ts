/** Who may do what with which signature, for every route. */
import { readFile, writeFile } from 'node:fs/promises';
import t from 'tap';
import { ADMIN, ALICE, BOB, CAROL } from '../../helpers/accounts.ts';
import {
  type Ask,
  asker,
  cloudapiInProcess,
  keyOf,
  makeKey,
  makePeople,
  type Person,
  writePeople,
} from '../../helpers/cloudapi.ts';
import { makeImage } from '../../helpers/images.ts';
import { startInProcess, temporaryFolder } from '../../helpers/imgapi.ts';
import { TestClock } from '../../helpers/test-clock.ts';
import { waitFor } from '../../helpers/wait.ts';
import { knownOperations, signedOperations } from './fixtures/known-operations.ts';

const people = makePeople();
const { alice, bob, admin } = people;
const everybody = Object.values(people);
const server = await startInProcess(t);
const clock = new TestClock();
const cloudapi = await cloudapiInProcess(t, {
  people: everybody,
  imgapi: server.url,
  clock,
  keys: { datacenters: { 'test-1': 'http://here.example.com' }, uploads: true },
});
const ask = asker(t, cloudapi.url);
const { image } = await makeImage(server.client({ account: ALICE }));
await server.client({ account: ALICE }).addImageAcl(image.uuid, [CAROL]);
const { image: own } = await makeImage(server.client(), {}, { owner: ADMIN });

const ROUTES = knownOperations(image.uuid);

t.test('every operation is in the matrix', async (t) => {
  t.same([...new Set(ROUTES.map(({ name }) => name))].toSorted(), signedOperations());
});

const stranger: Person = { uuid: ALICE, login: 'alice', keys: { 'alice-key': makeKey('rsa') } };

const CREDENTIALS: readonly {
  readonly what: string;
  readonly ask: Ask;
  readonly expected: 'allowed' | 400 | 401 | 403;
}[] = [
  { what: 'no signature', ask: {}, expected: 401 },
  { what: 'a key that nobody has', ask: { as: stranger }, expected: 401 },
  {
    what: 'a signature of something else',
    ask: { as: alice, spoil: (headers) => (headers['authorization'] = other(headers['authorization'])) },
    expected: 401,
  },
  {
    what: "another account's key under this one's name",
    ask: { as: alice, key: keyOf(bob), keyId: `/alice/keys/${keyOf(bob).key.publicKey.fingerprints.md5}` },
    expected: 401,
  },
  {
    what: "another account's key under that of this account",
    ask: { as: alice, key: keyOf(bob), keyId: `/alice/keys/${keyOf(alice).key.publicKey.fingerprints.md5}` },
    expected: 401,
  },
  { what: 'an account that there is not', ask: { as: alice, keyId: '/nobody/keys/aa:bb' }, expected: 401 },
  { what: 'a date of long ago', ask: { as: alice, date: new Date(Date.now() - 400_000) }, expected: 400 },
  { what: 'a date to come', ask: { as: alice, date: new Date(Date.now() + 400_000) }, expected: 400 },
  { what: "the path of another account's", ask: { as: bob }, expected: 403 },
  {
    what: 'a sub-user that there is not',
    ask: { as: alice, keyId: `/alice/users/deploy/keys/${keyOf(alice).key.publicKey.fingerprints.md5}` },
    expected: 401,
  },
  { what: 'its own key', ask: { as: alice }, expected: 'allowed' },
];

const CODES = { 400: 'InvalidHeader', 401: 'InvalidCredentials', 403: 'NotAuthorized' } as const;

function other(authorization = ''): string {
  return authorization.replace(/signature="(.)/, (_, first: string) => `signature="${first === 'A' ? 'B' : 'A'}`);
}

t.test('a route answers those who may ask, and nobody else', async (t) => {
  for (const { what, ask: credentials, expected } of CREDENTIALS) {
    await t.test(what, async (t) => {
      for (const { method, path, json, allowed } of ROUTES) {
        const answer = await ask(`/alice${path}`, { method, json, ...credentials });
        t.equal(answer.status, expected === 'allowed' ? allowed : expected, `${method} ${path}`);
        if (expected === 'allowed' || method === 'HEAD') continue;
        t.equal(answer.json.code, CODES[expected]);
      }
    });
  }
});

t.test('the admin acts for everybody', async (t) => {
  for (const { method, path, json, allowed, forAdmin = allowed } of ROUTES) {
    const { status } = await ask(`/alice${path}`, { method, json, as: admin });
    t.equal(status, forAdmin, `${method} ${path}`);
  }
  t.equal((await ask('/nobody', { as: admin })).status, 404);
  t.equal((await ask(`/admin/images/${own.uuid}/manifest`, { as: admin })).status, 200);
});

t.test('what an account is told of others does not depend on whether a login exists', async (t) => {
  const bodies = await Promise.all(
    ['bob', 'nobody', BOB].map(async (name) => {
      const { status, json } = await ask(`/${name}/images`, { as: alice });
      return { status, json: JSON.parse(JSON.stringify(json).replaceAll(name, 'NAME')) as unknown };
    }),
  );
  for (const body of bodies) t.same(body, bodies[0]);
  const unknown = await ask('/99999999-2222-4333-8444-555555555555/images', { as: alice });
  t.match(
    unknown,
    { status: 404, json: { code: 'ResourceNotFound' } },
    'a UUID that nobody has, which cannot be guessed',
  );
  const { md5 } = keyOf(bob).key.publicKey.fingerprints;
  const refusals = await Promise.all(
    [`/bob/keys/${md5}`, '/bob/keys/aa:bb:cc', `/nobody/keys/${md5}`].map((keyId) => ask('/my', { as: alice, keyId })),
  );
  for (const { status, json } of refusals) t.same({ status, json }, { status: 401, json: refusals[0]?.json });
});

t.test('the account of a path is its login, its UUID, or my', async (t) => {
  for (const name of ['alice', ALICE, 'my']) {
    const { status, json } = await ask(`/${name}`, { as: alice });
    t.equal(status, 200);
    t.match(json, { id: ALICE, login: 'alice', created: '2017-10-17T00:00:00.000Z' });
  }
});

t.test('keys go by MD5 and SHA256 fingerprints and by name, whatever their kind', async (t) => {
  for (const person of everybody) {
    const { md5, sha256 } = keyOf(person).key.publicKey.fingerprints;
    for (const name of [md5, `MD5:${md5}`, sha256, `${person.login}-key`]) {
      for (const account of [person.login, person.uuid]) {
        const { status, json } = await ask('/my', { as: person, keyId: `/${account}/keys/${name}` });
        t.equal(status, 200, `/${account}/keys/${name}`);
        t.equal(json.login, person.login);
      }
    }
  }
});

t.test('fingerprints with slashes', async (t) => {
  let key = makeKey('ed25519');
  while (!key.key.publicKey.fingerprints.sha256.includes('/')) key = makeKey('ed25519');
  const dave: Person = { uuid: 'da5e0000-0000-4000-8000-000000000001', login: 'dave', keys: { one: key } };
  await writeFile(cloudapi.accountsFile, await accountsOf([...everybody, dave]));
  const keyId = `/dave/keys/${key.key.publicKey.fingerprints.sha256}`;
  await waitFor('dave to be known', async () => (await ask('/my', { as: dave, keyId })).status === 200);
  t.equal((await ask('/my', { as: dave, keyId })).json.login, 'dave');
});

t.test('a clock that is wrong is named', async (t) => {
  const { json } = await ask('/my', { as: alice, date: new Date(Date.now() - 3_600_000) });
  t.match(json, { code: 'InvalidHeader', message: /clock .* is 3[56]\d\d s behind ours .*; at most 300 s/ });
  clock.ahead = -3_600_000;
  t.match((await ask('/my', { as: alice })).json.message, /ahead of ours/);
  clock.ahead = 0;
});

t.test('a header that is no signature is refused by what is wrong with it', async (t) => {
  const { md5 } = keyOf(alice).key.publicKey.fingerprints;
  const cases: [string, RegExp, 400 | 401][] = [
    ['Basic YWxpY2U6c2VjcmV0', /^You must make authenticated requests to use CloudAPI$/, 401],
    ['Signature nonsense', /is not NAME="VALUE"/, 400],
    [
      `Signature keyId="alice",algorithm="rsa-sha256",headers="date",signature="AAAA"`,
      /^Invalid KeyId alice in authorization header; it must be/,
      401,
    ],
    [
      `Signature keyId="/alice/keys/${md5}",algorithm="hmac-sha256",headers="date",signature="AAAA"`,
      /hmac-sha256/,
      400,
    ],
    [`Signature keyId="/alice/keys/${md5}",algorithm="rsa-sha256",headers="host",signature="AAAA"`, /cover date/, 400],
  ];
  for (const [authorization, message, expected] of cases) {
    const { status, json, headers } = await ask('/my', { headers: { authorization, date: new Date().toUTCString() } });
    t.equal(status, expected, authorization);
    t.match(json, { code: CODES[expected], message });
    t.equal(headers['www-authenticate'], expected === 401 ? 'Signature' : undefined);
  }
});

t.test('a key that is taken off the account signs no more', async (t) => {
  const second = makeKey('ed25519');
  const both = { ...alice, keys: { ...alice.keys, second } };
  await writeFile(cloudapi.accountsFile, await accountsOf([both, bob, admin]));
  await waitFor('the new key to sign', async () => (await ask('/my', { as: both, key: second })).status === 200);
  t.equal((await ask('/my/keys', { as: alice })).json.length, 2);
  await writeFile(cloudapi.accountsFile, await accountsOf([alice, bob, admin]));
  await waitFor('the key to be refused', async () => (await ask('/my', { as: both, key: second })).status === 401);
  t.equal((await ask('/my', { as: alice })).status, 200);
  await writeFile(cloudapi.accountsFile, await accountsOf([bob, admin]));
  await waitFor('the account to be gone', async () => (await ask('/my', { as: alice })).status === 401);
  await writeFile(cloudapi.accountsFile, 'no JSON');
  t.equal((await ask('/my', { as: bob })).status, 200, 'a broken file changes nothing');
});

/** The text of an accounts file. */
async function accountsOf(persons: readonly Person[]): Promise<string> {
  return readFile(await writePeople(await temporaryFolder(t), persons), 'utf8');
}
