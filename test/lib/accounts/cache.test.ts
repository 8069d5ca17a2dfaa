import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type Account, type Accounts, DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { type AccountCacheOptions, cacheAccounts } from '#lib/accounts/cache.ts';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';
import { accountsConformance } from '../../conformance/accounts.ts';
import { directoryFile } from '../../conformance/directory-file.ts';

const ALICE = { uuid: 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef', login: 'alice' };
const BOB = { uuid: 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', login: 'bob' };
const CAROL = { uuid: 'c6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', login: 'carol' };

accountsConformance('cached accounts', async (t) => {
  const path = join(t.testdir({ 'accounts.json': directoryFile() }), 'accounts.json');
  return {
    accounts: cacheAccounts(await openAccountsFile({ path, checkEvery: 0 })),
    takeDown: () => rename(path, `${path}.away`),
    bringUp: () => rename(`${path}.away`, path),
  };
});

/** A cache over a real file, with its clock and what it asked the file for. */
async function setUp(t: Test, options: AccountCacheOptions = {}) {
  const path = join(t.testdir({ 'accounts.json': JSON.stringify([ALICE, BOB]) }), 'accounts.json');
  const file = await openAccountsFile({ path, checkEvery: 0 });
  const asked: (readonly string[])[] = [];
  const counted: Accounts = {
    byUuid: (uuid) => file.byUuid(uuid),
    byLogin: (login) => file.byLogin(login),
    byUuids: (uuids) => {
      asked.push(uuids);
      return file.byUuids(uuids);
    },
    keysOf: (uuid) => file.keysOf(uuid),
    subUserByLogin: (account, login) => file.subUserByLogin(account, login),
    subUserByUuid: (account, uuid) => file.subUserByUuid(account, uuid),
    rolesOf: (account) => file.rolesOf(account),
    close: () => file.close(),
  };
  const clock = { time: 1_000_000, now: () => clock.time };
  return { path, asked, clock, cache: cacheAccounts(counted, { ...options, clock }) };
}

const save = (path: string, accounts: unknown) => writeFile(path, JSON.stringify(accounts));

test('a UUID is asked for once within its time to live', async (t) => {
  const { cache, asked, clock, path } = await setUp(t, { ttl: 1000 });
  t.match(await cache.byUuid(ALICE.uuid), ALICE);
  await save(path, [{ ...ALICE, login: 'alice2' }, BOB]);
  clock.time += 999;
  t.match(await cache.byUuid(ALICE.uuid), ALICE);
  t.equal(asked.length, 1);
  clock.time += 1;
  t.match(await cache.byUuid(ALICE.uuid), { login: 'alice2' });
  t.equal(asked.length, 2);
});

test('a batch asks only for what is missing, in one round trip', async (t) => {
  const { cache, asked } = await setUp(t);
  await cache.byUuid(ALICE.uuid);
  const found = await cache.byUuids([ALICE.uuid, BOB.uuid, CAROL.uuid, BOB.uuid]);
  t.strictSame([...found.keys()], [ALICE.uuid, BOB.uuid]);
  t.strictSame(asked, [[ALICE.uuid], [BOB.uuid, CAROL.uuid]]);
});

test('a UUID that nobody has is remembered for a short time only', async (t) => {
  const { cache, asked, clock, path } = await setUp(t, { ttl: 100_000, negativeTtl: 1000 });
  t.equal(await cache.byUuid(CAROL.uuid), undefined);
  t.equal(await cache.byUuid(CAROL.uuid), undefined);
  t.equal(asked.length, 1);
  await save(path, [CAROL]);
  clock.time += 1000;
  t.match(await cache.byUuid(CAROL.uuid), CAROL);
});

test('a login is always asked for', async (t) => {
  const { cache, path } = await setUp(t);
  t.match(await cache.byLogin('alice'), ALICE);
  await save(path, [{ ...CAROL, login: 'alice' }]);
  t.match(await cache.byLogin('alice'), { uuid: CAROL.uuid });
});

test('the longest unused account goes first when the cache is full', async (t) => {
  const { cache, asked } = await setUp(t, { max: 2 });
  await cache.byUuids([ALICE.uuid, BOB.uuid]);
  await cache.byUuid(ALICE.uuid);
  await cache.byUuid(CAROL.uuid);
  asked.length = 0;
  await cache.byUuid(ALICE.uuid);
  t.strictSame(asked, []);
  await cache.byUuid(BOB.uuid);
  t.strictSame(asked, [[BOB.uuid]]);
});

test('what is remembered is answered while the directory is away, the rest rejects and is not remembered', async (t) => {
  const { cache, path } = await setUp(t);
  await cache.byUuid(ALICE.uuid);
  await rename(path, `${path}.away`);
  t.match(await cache.byUuid(ALICE.uuid), ALICE);
  await t.rejects(cache.byUuids([ALICE.uuid, BOB.uuid]), DirectoryUnavailableError);
  await rename(`${path}.away`, path);
  t.match(await cache.byUuid(BOB.uuid), BOB);
});

test('names for display are waited for as long as somebody has patience, and a directory that hangs by one caller only', async (t) => {
  const { cache, answers, asked } = await setUpSlow(t);
  t.strictSame(await cache.loginsOf([ALICE.uuid], 1), new Map(), 'in vain');
  t.strictSame(await cache.loginsOf([ALICE.uuid, BOB.uuid], 1_000_000), new Map(), 'at once');
  t.equal(asked.length, 1);
  answers.shift()?.(new Map([[ALICE.uuid, { ...ALICE }]]));
  await new Promise(setImmediate);
  t.equal(
    await cache.byUuid(ALICE.uuid).then((account) => account?.login),
    'alice',
    'what came too late is remembered',
  );
  const patient = cache.loginsOf([ALICE.uuid, BOB.uuid], 1_000_000);
  answers.shift()?.(new Map([[BOB.uuid, { ...BOB }]]));
  t.strictSame(await patient, new Map([ALICE, BOB].map(({ uuid, login }) => [uuid, login])));
});

test('names for display are those that are remembered while the directory is away', async (t) => {
  const { cache, path } = await setUp(t);
  await cache.byUuid(ALICE.uuid);
  await rename(path, `${path}.away`);
  t.strictSame(await cache.loginsOf([ALICE.uuid, BOB.uuid], 1000), new Map([[ALICE.uuid, 'alice']]));
});

test('logins, keys and roles are remembered where that is asked for, as are those that nobody has', async (t) => {
  const calls: string[] = [];
  const counting = new Proxy({} as Accounts, {
    get: (_target, name) => async () => {
      calls.push(String(name));
      return name === 'byLogin'
        ? ALICE
        : name === 'keysOf'
          ? { mine: 'ssh-rsa AAAA' }
          : name === 'rolesOf'
            ? []
            : undefined;
    },
  });
  const answers: string[] = [];
  const clock = { time: 1_000_000, now: () => clock.time };
  const options = {
    remembersAll: true,
    ttl: 1000,
    negativeTtl: 100,
    clock,
    onLookUp: (one: string) => answers.push(one),
  };
  const cache = cacheAccounts(counting, options);
  const askAll = async () => {
    await cache.byLogin('alice');
    await cache.keysOf(ALICE.uuid);
    await cache.keysOf(ALICE.uuid, BOB.uuid);
    await cache.rolesOf(ALICE.uuid);
    await cache.subUserByLogin(ALICE.uuid, 'x');
    await cache.subUserByUuid(ALICE.uuid, BOB.uuid);
  };
  await askAll();
  t.equal(calls.length, 6);
  await askAll();
  t.equal(calls.length, 6, 'from memory');
  t.strictSame(answers, [...Array(6).fill('miss'), ...Array(6).fill('hit')]);
  clock.time += 100;
  await askAll();
  t.strictSame(calls.slice(6), ['rolesOf', 'subUserByLogin', 'subUserByUuid'], 'what nobody has is forgotten soon');
  clock.time += 900;
  await askAll();
  t.strictSame(calls.slice(9), ['byLogin', 'keysOf', 'keysOf', 'rolesOf', 'subUserByLogin', 'subUserByUuid']);
});

test('with a time to live of nothing, nothing is remembered', async (t) => {
  const { cache, asked } = await setUp(t, { ttl: 0 });
  await cache.byUuid(ALICE.uuid);
  await cache.byUuid(ALICE.uuid);
  t.equal(asked.length, 2);
});

/** A cache over a directory that answers when the test says so. */
async function setUpSlow(t: Test) {
  const { cache: _, ...rest } = await setUp(t);
  const answers: ((found: Map<string, Account>) => void)[] = [];
  const asked: (readonly string[])[] = [];
  const slow = {
    byUuids: (uuids: readonly string[]) => {
      asked.push(uuids);
      return new Promise<Map<string, Account>>((resolve) => answers.push(resolve));
    },
  } as Accounts;
  return { ...rest, cache: cacheAccounts(slow), answers, asked };
}
