import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { DirectoryUnavailableError } from '#lib/accounts/accounts.ts';
import { openAccountsFile } from '#lib/accounts/file/accounts-file.ts';

const ALICE = { uuid: 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef', login: 'alice' };
const BOB = { uuid: 'b6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', login: 'bob' };
const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDk2Yp2bZgRyNXWS0D3VlKVq2aYeQ2G8m1xk8sXo1b4V';

/** A log that remembers its lines. */
function recorder() {
  const lines: string[] = [];
  return {
    lines,
    info: (_: object, message: string) => void lines.push(`info ${message}`),
    warn: (_: object, message: string) => void lines.push(`warn ${message}`),
    warnings: () => lines.filter((line) => line.startsWith('warn')),
  };
}

function fileOf(t: Test, content: unknown): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return join(t.testdir({ 'accounts.json': text }), 'accounts.json');
}

test('a changed file is taken, whether written in place or replaced', async (t) => {
  const path = fileOf(t, [ALICE]);
  const accounts = await openAccountsFile({ path, checkEvery: 0 });
  t.equal(await accounts.byLogin('bob'), undefined);
  await writeFile(path, JSON.stringify([ALICE, BOB]));
  t.match(await accounts.byLogin('bob'), BOB);
  await writeFile(`${path}.new`, JSON.stringify([{ ...ALICE, login: 'carol' }]));
  await rename(`${path}.new`, path);
  t.match(await accounts.byUuid(ALICE.uuid), { login: 'carol' });
  t.equal(await accounts.byLogin('alice'), undefined);
});

test('versions of the same size written one right after the other are told apart', async (t) => {
  const path = fileOf(t, [{ ...BOB, login: 'bob0' }]);
  const accounts = await openAccountsFile({ path, checkEvery: 0 });
  for (let n = 1; n < 10; n++) {
    await writeFile(path, JSON.stringify([{ ...BOB, login: `bob${n}` }]));
    t.match(await accounts.byUuid(BOB.uuid), { login: `bob${n}` });
  }
});

test('the file is looked at only once in the given time', async (t) => {
  let now = 1_000_000;
  const path = fileOf(t, [ALICE]);
  const accounts = await openAccountsFile({ path, clock: { now: () => now } });
  await writeFile(path, JSON.stringify([ALICE, BOB]));
  now += 249;
  t.equal(await accounts.byLogin('bob'), undefined);
  now += 1;
  t.match(await accounts.byLogin('bob'), BOB);
  await rm(path);
  t.match(await accounts.byLogin('bob'), BOB);
  now += 250;
  await t.rejects(accounts.byLogin('bob'), DirectoryUnavailableError);
});

test('a broken new version keeps the last good one and is logged once', async (t) => {
  const log = recorder();
  const path = fileOf(t, [ALICE]);
  const accounts = await openAccountsFile({ path, checkEvery: 0, log });
  await writeFile(path, '[{"uuid": "a45');
  for (let n = 0; n < 5; n++) t.match(await accounts.byLogin('alice'), ALICE);
  t.equal(log.warnings().length, 1);
  t.match(log.warnings()[0], /last good version stays in use: it is not valid JSON/);
  await writeFile(path, JSON.stringify([BOB]));
  t.match(await accounts.byLogin('bob'), BOB);
  t.equal(await accounts.byLogin('alice'), undefined);
});

test('a file that is not there at first is a directory that is down until the file comes', async (t) => {
  const log = recorder();
  const path = join(t.testdir({}), 'accounts.json');
  const accounts = await openAccountsFile({ path, checkEvery: 0, log });
  await t.rejects(accounts.byLogin('alice'), { name: 'DirectoryUnavailableError', message: /ENOENT/ });
  await t.rejects(accounts.byUuid(ALICE.uuid), DirectoryUnavailableError);
  t.equal(log.warnings().length, 1);
  await writeFile(path, JSON.stringify([ALICE]));
  t.match(await accounts.byLogin('alice'), ALICE);
});

test('a file that is broken at first is a directory that is down, and the error names the fault', async (t) => {
  const path = fileOf(t, [{ ...ALICE, login: 'x' }]);
  const accounts = await openAccountsFile({ path, checkEvery: 0 });
  await t.rejects(accounts.byLogin('alice'), {
    name: 'DirectoryUnavailableError',
    message: /entry 0 \("x"\): login must be 3 to 32 characters/,
  });
});

test('a file that goes away twice is logged twice', async (t) => {
  const log = recorder();
  const path = fileOf(t, [ALICE]);
  const accounts = await openAccountsFile({ path, checkEvery: 0, log });
  for (let n = 0; n < 2; n++) {
    await rename(path, `${path}.away`);
    await t.rejects(accounts.byLogin('alice'), DirectoryUnavailableError);
    await t.rejects(accounts.byLogin('alice'), DirectoryUnavailableError);
    await rename(`${path}.away`, path);
    t.match(await accounts.byLogin('alice'), ALICE);
  }
  t.equal(log.warnings().length, 2);
});

test('concurrent look-ups share one reading of the file', async (t) => {
  const log = recorder();
  const path = fileOf(t, [ALICE]);
  const accounts = await openAccountsFile({ path, checkEvery: 0, log });
  await writeFile(path, JSON.stringify([ALICE, BOB]));
  const before = log.lines.length;
  const found = await Promise.all(Array.from({ length: 50 }, () => accounts.byLogin('bob')));
  t.ok(found.every((account) => account?.uuid === BOB.uuid));
  t.equal(log.lines.length - before, 1);
});

const ROLE = { uuid: 'd6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', name: 'readers' };
const DEPLOY = { uuid: 'e6512b9a-7835-4fbe-bbfd-8ecb5a7881c4', login: 'deploy' };

/** Alice with these keys. */
const alice = (keys: object) => [{ ...ALICE, ...keys }];

const INVALID: readonly [string, unknown, RegExp][] = [
  ['an object', { ...ALICE }, /must be a JSON array/],
  ['an entry that is no object', [ALICE, 7], /entry 1 must be an object/],
  ['a missing uuid', [{ login: 'alice' }], /entry 0 \("alice"\): uuid is missing/],
  ['a missing login', [{ uuid: ALICE.uuid }], /entry 0: login is missing/],
  ['an upper-case uuid', [{ ...ALICE, uuid: ALICE.uuid.toUpperCase() }], /uuid must be a lower-case UUID/],
  ['a login that begins with a digit', [{ ...ALICE, login: '1alice' }], /login must be/],
  ['a login of 33 characters', [{ ...ALICE, login: 'a'.repeat(33) }], /login must be/],
  ['a date without time', [{ ...ALICE, created_at: '2024-01-01' }], /created_at must be an ISO date/],
  ['a date that does not exist', [{ ...ALICE, updated_at: '2024-13-01T00:00:00Z' }], /updated_at: .* is not a date/],
  ['a misspelt key', [{ ...ALICE, key: {} }], /"key" is not a key of an account/],
  ['keys that are a list', [{ ...ALICE, keys: [KEY] }], /keys must be an object/],
  ['disabled that is a text', [{ ...ALICE, disabled: 'yes' }], /disabled must be true or false/],
  ['a bad SSH key', [BOB, { ...ALICE, keys: { 'a/b': 'ssh-rsa' } }], /entry 1 \("alice"\): keys: "a\/b" must be an Op/],
  [
    'a uuid twice',
    [ALICE, { ...BOB, uuid: ALICE.uuid }],
    /entry 1 \("bob"\): uuid: "a45c9276.*is already used in entry 0/,
  ],
  [
    'a login twice',
    [ALICE, { ...BOB, login: 'alice' }],
    /entry 1 \("alice"\): login: "alice" is already used in entry 0/,
  ],
  ['users that are no list', alice({ users: {} }), /entry 0 \("alice"\): users must be a list of sub-users/],
  ['a sub-user that is no object', alice({ users: [7] }), /\("alice"\): users: entry 0 must be an object/],
  ['a sub-user without uuid', alice({ users: [{ login: 'deploy' }] }), /users: entry 0 \("deploy"\): uuid is missing/],
  [
    'a misspelt key of a sub-user',
    alice({ users: [{ ...DEPLOY, role: 'x' }] }),
    /users: entry 0 \("deploy"\): "role" is not a key of a sub-user/,
  ],
  [
    'a bad SSH key of a sub-user',
    alice({ users: [{ ...DEPLOY, keys: { ci: 'x' } }] }),
    /users: entry 0 \("deploy"\): keys: "ci" must be an OpenSSH public key/,
  ],
  [
    'a sub-user twice',
    alice({ users: [DEPLOY, { ...DEPLOY, uuid: ROLE.uuid }] }),
    /entry 0 \("alice"\): users: entry 1 \("deploy"\): login: "deploy" is already used in entry 0/,
  ],
  ['a role without name', alice({ roles: [{ uuid: ROLE.uuid }] }), /roles: entry 0: name is missing/],
  [
    'a name with a comma',
    alice({ roles: [{ ...ROLE, name: 'a,b' }] }),
    /roles: entry 0 \("a,b"\): name must be 1 to 100 characters of ASCII without commas/,
  ],
  [
    'a name that no header can hold',
    alice({ roles: [{ ...ROLE, name: 'lésers' }] }),
    /roles: entry 0 \("lésers"\): name must be 1 to 100 characters of ASCII/,
  ],
  [
    'members that are no logins',
    alice({ roles: [{ ...ROLE, members: [7] }] }),
    /roles: entry 0 \("readers"\): members must be a list of logins of sub-users/,
  ],
  [
    'policies of a role that are no names',
    alice({ roles: [{ ...ROLE, policies: [{}] }] }),
    /roles: entry 0 \("readers"\): policies must be a list of names of policies/,
  ],
  [
    'a member that is no sub-user',
    alice({ roles: [{ ...ROLE, members: ['bob'] }] }),
    /roles: entry 0 \("readers"\): members: "bob" is not a sub-user of the account/,
  ],
  [
    'a default member that is no member',
    alice({ users: [DEPLOY], roles: [{ ...ROLE, default_members: ['deploy'] }] }),
    /roles: entry 0 \("readers"\): default_members: "deploy" is not among the members/,
  ],
  [
    'a policy that there is not',
    alice({ roles: [{ ...ROLE, policies: ['read'] }] }),
    /roles: entry 0 \("readers"\): policies: "read" is not a policy of the account/,
  ],
  ['a role twice', alice({ roles: [ROLE, ROLE] }), /roles: entry 1 \("readers"\): uuid: .* already used in entry 0/],
  ['policies that are names', alice({ policies: ['read'] }), /\("alice"\): policies: entry 0 must be an object/],
  ['a policy without rules', alice({ policies: [{ name: 'read' }] }), /policies: entry 0 \("read"\): rules is missing/],
  [
    'a rule that cannot be read',
    alice({ policies: [{ name: 'read', rules: ['CAN getimage', 'CAN listimages WHEN'] }] }),
    /policies: entry 0 \("read"\): rules: "CAN listimages WHEN" cannot be read: it ends where a condition was expected/,
  ],
  [
    'rules that are one text',
    alice({ policies: [{ name: 'read', rules: 'CAN getimage' }] }),
    /policies: entry 0 \("read"\): rules must be a list of rules such as "CAN getimage"/,
  ],
];

for (const [what, content, message] of INVALID) {
  test(`${what} is refused and named`, async (t) => {
    const accounts = await openAccountsFile({ path: fileOf(t, content) });
    await t.rejects(accounts.byLogin('alice'), { name: 'DirectoryUnavailableError', message });
  });
}
