/** A rule that cannot be read or decided allows nothing, is logged, and leaves the others as they are. */
import { test } from 'tap';
import type { Role } from '#lib/accounts/accounts.ts';
import { policies } from '#src/cloudapi/policies.ts';

const ATTEMPT = { action: 'getimage', resource: '/alice/images', facts: { method: 'get' } };

const role = (...rules: readonly string[]): Role => ({
  ...{ uuid: 'r', name: 'readers', members: [], defaultMembers: [] },
  policies: [{ name: 'read', rules }],
});

function setUp() {
  const logged: object[] = [];
  const log = { warn: (fields: object, message: string) => void logged.push({ ...fields, message }) };
  return { logged, ...policies(log as never) };
}

test('a rule that cannot be read is logged once, with its place', async (t) => {
  const { allow, logged } = setUp();
  for (let n = 0; n < 3; n++) t.equal(allow([role('CAN getimage WHEN')], ['r'], ATTEMPT), false);
  t.match(logged, [{ role: 'readers', policy: 'read', rule: 'CAN getimage WHEN', message: /cannot be read/ }]);
  t.equal(logged.length, 1);
});

test('a rule that cannot be decided is logged whenever it is asked', async (t) => {
  const { allow, logged } = setUp();
  const rules = ['CAN * WHEN tag_x::string = y', 'CAN * WHEN NOT tag_x::string = y'];
  t.equal(allow([role(...rules)], ['r'], ATTEMPT), false);
  t.match(
    logged,
    rules.map((rule) => ({ rule, message: /cannot be decided/ })),
  );
});

test('the rules beside it count, whether they come before or after', async (t) => {
  const { allow } = setUp();
  for (const bad of ['nonsense', 'CAN * WHEN tag_x::string = y']) {
    t.equal(allow([role(bad, 'CAN getimage')], ['r'], ATTEMPT), true);
    t.equal(allow([role('CAN getimage', bad)], ['r'], ATTEMPT), true);
    t.equal(allow([role(bad), role('CAN getimage')], ['r'], ATTEMPT), true);
  }
});

test('without a role, a tag, a rule or the action nothing is allowed', async (t) => {
  const { allow } = setUp();
  t.equal(allow([], ['r'], ATTEMPT), false);
  t.equal(allow([role('CAN getimage')], [], ATTEMPT), false);
  t.equal(allow([role('CAN getimage')], ['another'], ATTEMPT), false);
  t.equal(allow([role()], ['r'], ATTEMPT), false);
  t.equal(allow([role('CAN listimages')], ['r'], ATTEMPT), false);
});
