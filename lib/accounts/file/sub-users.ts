/** The sub-users and roles of an account in the file, which names sub-users by login and policies by name. */
import { parseRule } from '../../policies/parse-rule.ts';
import type { Keys, Policy, Role, SubUser } from '../accounts.ts';
import { AccountsDocumentError } from './document-error.ts';
import { type AccountEntry, placeOf, type RoleEntry } from './entry.ts';
import { assertUnique } from './unique.ts';

export interface UserInFile {
  readonly user: SubUser;
  readonly keys: Keys;
}

/** @param place of the account. @throws AccountsDocumentError */
export function usersIn(place: string, { users = [] }: AccountEntry): readonly UserInFile[] {
  assertUnique(users, ['uuid', 'login'], `${place}: users: `);
  return users.map(({ uuid, login, disabled, keys }) => ({
    user: Object.freeze({ uuid, login, ...(disabled && { isDisabled: true as const }) }),
    keys: Object.freeze({ ...keys }),
  }));
}

/** @param place of the account. @throws AccountsDocumentError for a role that names what there is not */
export function rolesIn(
  place: string,
  { roles = [], policies = [] }: AccountEntry,
  users: readonly UserInFile[],
): readonly Role[] {
  assertUnique(roles, ['uuid', 'name'], `${place}: roles: `);
  assertUnique(policies, ['name'], `${place}: policies: `);
  for (const [index, policy] of policies.entries()) {
    assertRules(`${place}: policies: ${placeOf(index, policy)}: rules`, policy.rules);
  }
  const byLogin = new Map(users.map(({ user }) => [user.login, user.uuid]));
  const byName = new Map(policies.map(({ name, rules }) => [name, Object.freeze({ name, rules })]));
  return roles.map((role, index) => toRole(`${place}: roles: ${placeOf(index, role)}`, role, byLogin, byName));
}

/** Elsewhere a rule that cannot be read is found out when somebody is refused; here whoever edits the file is told. */
function assertRules(place: string, rules: readonly string[]): void {
  for (const rule of rules) {
    try {
      parseRule(rule);
    } catch (cause) {
      throw new AccountsDocumentError(`${place}: "${rule}" cannot be read: ${(cause as Error).message}`, { cause });
    }
  }
}

function toRole(
  place: string,
  { uuid, name, members = [], default_members: defaults = [], policies = [] }: RoleEntry,
  users: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, Policy>,
): Role {
  const stranger = defaults.find((login) => !members.includes(login));
  if (stranger !== undefined) {
    throw new AccountsDocumentError(`${place}: default_members: "${stranger}" is not among the members`);
  }
  return Object.freeze({
    ...{ uuid, name },
    members: members.map((login) => one(`${place}: members`, users, login, 'a sub-user of the account')),
    defaultMembers: defaults.map((login) => one(place, users, login, 'a sub-user of the account')),
    policies: policies.map((policy) => one(`${place}: policies`, known, policy, 'a policy of the account')),
  });
}

function one<T>(place: string, known: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = known.get(name);
  if (found === undefined) throw new AccountsDocumentError(`${place}: "${name}" is not ${what}`);
  return found;
}
