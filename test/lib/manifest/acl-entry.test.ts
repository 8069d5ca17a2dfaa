import { test } from 'tap';
import { aclEntriesProblem, isAclEntry, isLogin, splitEntries } from '#lib/manifest/acl-entry.ts';

const UUID = 'a45c9276-b8e1-11e7-90b1-6fc7cbadf3ef';

test('a login has 3 to 32 characters and starts with a letter', (t) => {
  const good = ['bob', 'Bob.Smith', 'b_o-b', 'bob@example.com', 'a%2', 'a'.repeat(32), 'b12'];
  for (const login of good) t.ok(isLogin(login), login);
  const bad = ['bo', 'a'.repeat(33), '1bob', '_bob', 'bob smith', 'bob\n', 'böb', 'bob/sub', '', null, 5, ['bob'], {}];
  for (const login of bad) t.notOk(isLogin(login), String(login));
  t.end();
});

test('a UUID is never taken for a login, however it is written', (t) => {
  t.notOk(isLogin(UUID));
  t.ok(isAclEntry(UUID));
  t.notOk(isAclEntry(UUID.toUpperCase()));
  t.notOk(isAclEntry(`${UUID}0`));
  t.end();
});

test('the problem of a list names the first bad item and what would be right', (t) => {
  t.equal(aclEntriesProblem([UUID, 'bob'], true), undefined);
  t.equal(aclEntriesProblem([], false), undefined);
  t.equal(aclEntriesProblem([UUID, 'bob', 5], false), 'must be an array of account UUIDs, but item 1 is "bob"');
  t.match(aclEntriesProblem([UUID, 'bo'], true), /account UUIDs or logins, but item 1 is "bo" \(a login has 3 to 32/);
  t.equal(aclEntriesProblem('bob', true), 'must be an array of account UUIDs or logins, not "bob"');
  t.equal(aclEntriesProblem(null, false), 'must be an array of account UUIDs, not null');
  t.end();
});

test('a list has at most 1,000 entries', (t) => {
  const logins = Array.from({ length: 1001 }, (_, index) => `user${index}`);
  t.equal(aclEntriesProblem(logins.slice(1), true), undefined);
  t.equal(aclEntriesProblem(logins, true), 'must have at most 1000 entries, not 1001');
  t.end();
});

test('UUIDs and logins are told apart, each in order', (t) => {
  t.strictSame(splitEntries(['bob', UUID, 'bib']), { uuids: [UUID], logins: ['bob', 'bib'] });
  t.strictSame(splitEntries([]), { uuids: [], logins: [] });
  t.end();
});
