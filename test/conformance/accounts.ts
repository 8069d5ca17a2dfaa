/** What every directory of accounts must do, whatever its backend. */
import { type Test, test } from 'tap';
import { type Account, DirectoryUnavailableError, type Keys } from '#lib/accounts/accounts.ts';
import type { DirectoryUnderTest } from './directory.ts';
import { subUsersConformance } from './sub-users.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDk2Yp2bZgRyNXWS0D3VlKVq2aYeQ2G8m1xk8sXo1b4V';

export const DIRECTORY_FIXTURE: readonly Account[] = [
  { uuid: '930896af-bf8c-48d4-885c-6573a94b1853', login: 'admin' },
  {
    uuid: 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef',
    login: 'alice',
    createdAt: new Date('2024-03-01T10:20:30.000Z'),
    updatedAt: new Date('2025-04-02T11:21:31.000Z'),
    ...{ email: 'alice@example.com', allowedDatacenters: ['us-sw-1', 'us-west-1'] },
  },
  { uuid: 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', login: 'Bob.x@example-1' },
  { uuid: 'e6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', login: 'eve', isDisabled: true },
];

/** The keys of that account. */
export const KEYS_FIXTURE: Readonly<Record<string, Keys>> = {
  'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef': { laptop: `${KEY} alice@laptop`, 'us-sw-1 imgapi key': KEY },
};

const [admin, alice, bob, eve] = DIRECTORY_FIXTURE as [Account, Account, Account, Account];
const STRANGER = 'c6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';

/** Some directories date every entry themselves, and have no such names of attributes as that of the datacenters. */
function same(t: Test, found: Account | undefined, expected: Account): void {
  const { createdAt, updatedAt, allowedDatacenters, ...known } = expected;
  const { createdAt: created, updatedAt: updated, allowedDatacenters: allowed, ...rest } = found ?? {};
  t.strictSame(rest, known);
  if (allowed) t.strictSame(allowed, allowedDatacenters);
  if (createdAt) t.strictSame([created, updated], [createdAt, updatedAt]);
}

/** Declares the tests; `setUp` is called for each, and cleans up in `t.teardown`. */
export function accountsConformance(name: string, setUp: (t: Test) => Promise<DirectoryUnderTest>): void {
  test(`${name}: an account is found by its UUID, with its dates`, async (t) => {
    const { accounts } = await setUp(t);
    same(t, await accounts.byUuid(alice.uuid), alice);
    same(t, await accounts.byUuid(admin.uuid), admin);
    same(t, await accounts.byUuid(eve.uuid), eve);
  });

  test(`${name}: the keys of an account are found by its UUID, and nobody has none`, async (t) => {
    const { accounts } = await setUp(t);
    t.strictSame(await accounts.keysOf(alice.uuid), KEYS_FIXTURE[alice.uuid]);
    t.strictSame(await accounts.keysOf(bob.uuid), {});
    t.strictSame(await accounts.keysOf(STRANGER), {});
    t.strictSame(await accounts.keysOf('alice'), {});
  });

  test(`${name}: an account is found by its login`, async (t) => {
    const { accounts } = await setUp(t);
    same(t, await accounts.byLogin('alice'), alice);
    same(t, await accounts.byLogin('Bob.x@example-1'), bob);
  });

  test(`${name}: a login is compared exactly`, async (t) => {
    const { accounts } = await setUp(t);
    for (const login of ['Alice', 'alice ', ' alice', 'alic', 'alic*', 'bob.x@example-1', '*', '', 'a)(login=alice']) {
      t.equal(await accounts.byLogin(login), undefined, JSON.stringify(login));
    }
  });

  test(`${name}: a UUID is no login and a login no UUID`, async (t) => {
    const { accounts } = await setUp(t);
    t.equal(await accounts.byLogin(alice.uuid), undefined);
    t.equal(await accounts.byUuid('alice'), undefined);
  });

  test(`${name}: who is not there is undefined, not an error`, async (t) => {
    const { accounts } = await setUp(t);
    t.equal(await accounts.byUuid(STRANGER), undefined);
    t.equal(await accounts.byLogin('nobody'), undefined);
  });

  test(`${name}: of many UUIDs those that exist are answered, each once`, async (t) => {
    const { accounts } = await setUp(t);
    const found = await accounts.byUuids([alice.uuid, STRANGER, bob.uuid, alice.uuid]);
    t.strictSame([...found.keys()].sort(), [alice.uuid, bob.uuid].sort());
    same(t, found.get(alice.uuid), alice);
    same(t, found.get(bob.uuid), bob);
    t.equal((await accounts.byUuids([])).size, 0);
  });

  test(`${name}: hundreds of UUIDs can be asked for at once`, async (t) => {
    const { accounts } = await setUp(t);
    const strangers = Array.from({ length: 500 }, (_, n) => STRANGER.slice(0, -4) + n.toString(16).padStart(4, '0'));
    const found = await accounts.byUuids([...strangers, admin.uuid]);
    t.strictSame([...found.keys()], [admin.uuid]);
  });

  test(`${name}: while the directory is away every look-up rejects, and works again when it is back`, async (t) => {
    const { accounts, takeDown, bringUp } = await setUp(t);
    await takeDown();
    await t.rejects(accounts.byUuid(alice.uuid), DirectoryUnavailableError);
    await t.rejects(accounts.byLogin('alice'), DirectoryUnavailableError);
    await t.rejects(accounts.byUuids([alice.uuid]), DirectoryUnavailableError);
    await t.rejects(accounts.byLogin('nobody'), DirectoryUnavailableError);
    await t.rejects(accounts.keysOf(alice.uuid), DirectoryUnavailableError);
    await bringUp();
    same(t, await accounts.byLogin('alice'), alice);
  });

  test(`${name}: it may be closed more than once`, async (t) => {
    const { accounts } = await setUp(t);
    await accounts.close();
    await accounts.close();
  });

  subUsersConformance(name, setUp);
}
