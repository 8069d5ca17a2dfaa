/** What every directory of accounts must do with sub-users and roles, whatever its backend. */
import { type Test, test } from 'tap';
import { DirectoryUnavailableError, type Keys, type Policy, type Role, type SubUser } from '#lib/accounts/accounts.ts';
import type { DirectoryUnderTest } from './directory.ts';

const ALICE = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';
const BOB = 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const STRANGER = 'c6512b9a-7835-4fbe-bbfd-8ecb5a7881c4';
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDk2Yp2bZgRyNXWS0D3VlKVq2aYeQ2G8m1xk8sXo1b4V';

const deploy: SubUser = { uuid: '5ab00000-0000-4000-8000-000000000001', login: 'deploy' };
const audit: SubUser = { uuid: '5ab00000-0000-4000-8000-000000000002', login: 'Audit.x@example-1' };
/** Of another account, with the same login; `alice` is an account as well. */
const bobsDeploy: SubUser = { uuid: '5ab00000-0000-4000-8000-000000000003', login: 'deploy' };
const bobsAlice: SubUser = { uuid: '5ab00000-0000-4000-8000-000000000004', login: 'alice', isDisabled: true };

/** By account. */
export const SUB_USERS_FIXTURE: Readonly<Record<string, readonly SubUser[]>> = {
  [ALICE]: [deploy, audit],
  [BOB]: [bobsDeploy, bobsAlice],
};

/** By sub-user. */
export const SUB_USER_KEYS_FIXTURE: Readonly<Record<string, Keys>> = {
  [deploy.uuid]: { ci: `${KEY} deploy@ci`, other: KEY },
  [bobsDeploy.uuid]: { ci: KEY },
};

/** All policies of an account, also those that no role has. */
export const POLICIES_FIXTURE: Readonly<Record<string, readonly Policy[]>> = {
  [ALICE]: [
    { name: 'read-images', rules: ['CAN getimage and listimages'] },
    { name: 'at work', rules: ['CAN * WHEN sourceip = 10.0.0.0/8', 'CAN deleteimage WHEN day in (Mon, Tue)'] },
    { name: 'unused', rules: ['CAN shareimage'] },
  ],
  [BOB]: [{ name: 'read-images', rules: ['CAN getimage'] }],
};

const [readImages, atWork] = POLICIES_FIXTURE[ALICE] as [Policy, Policy];
const [bobsReadImages] = POLICIES_FIXTURE[BOB] as [Policy];

/** By account. */
export const ROLES_FIXTURE: Readonly<Record<string, readonly Role[]>> = {
  [ALICE]: [
    {
      ...{ uuid: '40700000-0000-4000-8000-000000000001', name: 'deployers' },
      ...{ members: [deploy.uuid, audit.uuid], defaultMembers: [deploy.uuid], policies: [readImages, atWork] },
    },
    {
      ...{ uuid: '40700000-0000-4000-8000-000000000002', name: 'empty' },
      ...{ members: [], defaultMembers: [], policies: [] },
    },
  ],
  [BOB]: [
    {
      ...{ uuid: '40700000-0000-4000-8000-000000000003', name: 'deployers' },
      ...{ members: [bobsDeploy.uuid], defaultMembers: [bobsDeploy.uuid], policies: [bobsReadImages] },
    },
  ],
};

/** Which order lists have is not part of the interface. */
function inOrder(roles: readonly Role[]): Role[] {
  return roles
    .map((role) => ({
      ...role,
      members: role.members.toSorted(),
      defaultMembers: role.defaultMembers.toSorted(),
      policies: role.policies
        .map(({ name, rules }) => ({ name, rules: rules.toSorted() }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Declares the tests; `setUp` is called for each, and cleans up in `t.teardown`. */
export function subUsersConformance(name: string, setUp: (t: Test) => Promise<DirectoryUnderTest>): void {
  test(`${name}: a sub-user is found in its account by login and by UUID`, async (t) => {
    const { accounts } = await setUp(t);
    for (const [account, users] of Object.entries(SUB_USERS_FIXTURE)) {
      for (const user of users) {
        t.strictSame(await accounts.subUserByLogin(account, user.login), user);
        t.strictSame(await accounts.subUserByUuid(account, user.uuid), user);
      }
    }
  });

  test(`${name}: a sub-user is found in no other account, nor by another spelling of its login`, async (t) => {
    const { accounts } = await setUp(t);
    t.equal(await accounts.subUserByUuid(BOB, deploy.uuid), undefined);
    t.equal(await accounts.subUserByLogin(BOB, audit.login), undefined);
    t.equal(await accounts.subUserByLogin(STRANGER, 'deploy'), undefined);
    t.equal(await accounts.subUserByUuid(STRANGER, deploy.uuid), undefined);
    const strange = ['Deploy', 'deploy ', 'depl', 'depl*', '*', '', 'a)(login=*', `${ALICE}/deploy`, deploy.uuid, BOB];
    for (const login of strange) t.equal(await accounts.subUserByLogin(ALICE, login), undefined, login);
    t.equal(await accounts.subUserByUuid(ALICE, 'deploy'), undefined);
    t.equal(await accounts.subUserByUuid(ALICE, ALICE), undefined, 'an account is no sub-user of itself');
  });

  test(`${name}: a sub-user is no account`, async (t) => {
    const { accounts } = await setUp(t);
    for (const login of ['deploy', `${ALICE}/deploy`]) t.equal(await accounts.byLogin(login), undefined, login);
    t.equal(await accounts.byUuid(deploy.uuid), undefined);
    t.equal((await accounts.byUuids([deploy.uuid, audit.uuid])).size, 0);
    t.equal((await accounts.byLogin('alice'))?.uuid, ALICE);
    t.strictSame(await accounts.keysOf(deploy.uuid), {});
  });

  test(`${name}: the keys of a sub-user are its own, not those of its account or of others`, async (t) => {
    const { accounts } = await setUp(t);
    t.strictSame(await accounts.keysOf(ALICE, deploy.uuid), SUB_USER_KEYS_FIXTURE[deploy.uuid]);
    t.strictSame(await accounts.keysOf(ALICE, audit.uuid), {});
    t.strictSame(await accounts.keysOf(BOB, deploy.uuid), {});
    t.strictSame(await accounts.keysOf(ALICE, STRANGER), {});
    t.notOk('ci' in (await accounts.keysOf(ALICE)), 'nor are they those of the account');
  });

  test(`${name}: the roles of an account come with their members and policies`, async (t) => {
    const { accounts } = await setUp(t);
    for (const [account, roles] of Object.entries(ROLES_FIXTURE)) {
      t.strictSame(inOrder(await accounts.rolesOf(account)), inOrder(roles));
    }
    t.strictSame(await accounts.rolesOf(STRANGER), []);
    t.strictSame(await accounts.rolesOf('alice'), []);
  });

  test(`${name}: while the directory is away so are sub-users and roles`, async (t) => {
    const { accounts, takeDown, bringUp } = await setUp(t);
    await takeDown();
    await t.rejects(accounts.subUserByLogin(ALICE, 'deploy'), DirectoryUnavailableError);
    await t.rejects(accounts.subUserByUuid(ALICE, deploy.uuid), DirectoryUnavailableError);
    await t.rejects(accounts.keysOf(ALICE, deploy.uuid), DirectoryUnavailableError);
    await t.rejects(accounts.rolesOf(ALICE), DirectoryUnavailableError);
    await bringUp();
    t.strictSame(await accounts.subUserByLogin(ALICE, 'deploy'), deploy);
  });
}
