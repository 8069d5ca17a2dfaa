/** Which of its roles a sub-user takes for a request. */
import type { Account, Role, SubUser } from '#lib/accounts/accounts.ts';
import type { Call } from './call.ts';
import { CloudapiError } from './errors.ts';
import { namesIn } from './names.ts';

/** Stands for all roles that the sub-user may take. */
const ALL = '*';

/**
 * Those that it has by default, or those that the request names as `as-role` or in its header `Role`.
 * @param roles of the account
 * @throws 403 NotAuthorized for a role that it may not take, whether or not there is such a role
 */
export function activeRoles(
  roles: readonly Role[],
  { login }: Account,
  { uuid }: SubUser,
  call: Call,
): readonly Role[] {
  const asked = namesIn(call.query['as-role'] ?? call.headers['role']);
  if (asked.length === 0) return roles.filter(({ defaultMembers }) => defaultMembers.includes(uuid));
  const held = roles.filter(({ members }) => members.includes(uuid));
  const stranger = asked.find((name) => name !== ALL && !held.some((role) => role.name === name));
  if (stranger !== undefined) {
    throw new CloudapiError('NotAuthorized', `You do not have permission to access /${login} as role "${stranger}"`);
  }
  return asked.includes(ALL) ? held : held.filter(({ name }) => asked.includes(name));
}
