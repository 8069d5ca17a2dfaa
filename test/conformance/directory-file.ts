/** The accounts file that holds what the conformance suites look for. */
import { DIRECTORY_FIXTURE, KEYS_FIXTURE } from './accounts.ts';
import { POLICIES_FIXTURE, ROLES_FIXTURE, SUB_USER_KEYS_FIXTURE, SUB_USERS_FIXTURE } from './sub-users.ts';

export function directoryFile(): string {
  return JSON.stringify(
    DIRECTORY_FIXTURE.map(({ createdAt, updatedAt, isDisabled, allowedDatacenters, ...rest }) => {
      const users = SUB_USERS_FIXTURE[rest.uuid];
      const loginOf = (uuid: string) => users?.find((user) => user.uuid === uuid)?.login;
      return {
        ...rest,
        created_at: createdAt?.toISOString(),
        updated_at: updatedAt?.toISOString(),
        disabled: isDisabled,
        allowed_dcs: allowedDatacenters,
        keys: KEYS_FIXTURE[rest.uuid],
        users: users?.map(({ isDisabled: disabled, ...user }) => ({
          ...user,
          disabled,
          keys: SUB_USER_KEYS_FIXTURE[user.uuid],
        })),
        roles: ROLES_FIXTURE[rest.uuid]?.map(({ members, defaultMembers, policies, ...role }) => ({
          ...role,
          members: members.map(loginOf),
          default_members: defaultMembers.map(loginOf),
          policies: policies.map(({ name }) => name),
        })),
        policies: POLICIES_FIXTURE[rest.uuid],
      };
    }),
  );
}
