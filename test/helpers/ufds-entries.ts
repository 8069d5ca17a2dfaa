/** Accounts as UFDS's entries. */
import { createHash } from 'node:crypto';
import type { Account, Keys, Policy, Role, SubUser } from '#lib/accounts/accounts.ts';
import { type Attributes, USERS } from '../doubles/ufds.ts';

export type UfdsEntry = readonly [dn: string, attributes: Attributes];

function personEntry({ uuid, login, email, allowedDatacenters, createdAt, updatedAt, isDisabled }: Account): UfdsEntry {
  const attributes = {
    objectclass: ['sdcperson'],
    uuid: [uuid],
    login: [login],
    userpassword: ['hidden'],
    ...(email !== undefined && { email: [email] }),
    ...(allowedDatacenters && { allowed_dcs: allowedDatacenters }),
    ...(isDisabled && { disabled: ['true'] }),
    ...(createdAt && { created_at: [String(createdAt.getTime())] }),
    ...(updatedAt && { updated_at: [String(updatedAt.getTime())] }),
  };
  return [`uuid=${uuid}, ${USERS}`, attributes];
}

/** @param person the DN of whose keys they are */
function keyEntries(person: string, keys: Keys): UfdsEntry[] {
  return Object.entries(keys).map(([name, openssh]) => {
    const fingerprint = createHash('md5')
      .update(name)
      .digest('hex')
      .replace(/..(?=.)/g, '$&:');
    const attributes = { objectclass: ['sdckey'], name: [name], openssh: [openssh], fingerprint: [fingerprint] };
    return [`fingerprint=${fingerprint}, ${person}`, attributes];
  });
}

interface OfAccount {
  readonly users: readonly SubUser[];
  /** By sub-user. */
  readonly keys: Readonly<Record<string, Keys>>;
  readonly policies: readonly Policy[];
  readonly roles: readonly Role[];
}

/** What an account has besides its own keys. */
export function subEntriesOf(account: string, { users, keys, policies, roles }: OfAccount): UfdsEntry[] {
  const base = `uuid=${account}, ${USERS}`;
  const policyName = new Map(policies.map(({ name }) => [name, `policy-uuid=${uuidFrom(account, name)}, ${base}`]));
  const member = (uuid: string) => `uuid=${uuid}, ${base}`;
  return [
    ...users.flatMap(({ uuid, login, isDisabled }): UfdsEntry[] => {
      const person = [
        `uuid=${uuid}, ${base}`,
        {
          ...{ ...SUB_USER, uuid: [uuid], login: [`${account}/${login}`], account: [account] },
          ...(isDisabled && { disabled: ['true'] }),
        },
      ] as const;
      return [person, ...keyEntries(person[0], keys[uuid] ?? {})];
    }),
    ...policies.map(({ name, rules }): UfdsEntry => {
      const uuid = uuidFrom(account, name);
      return [
        `policy-uuid=${uuid}, ${base}`,
        { objectclass: ['sdcaccountpolicy'], uuid: [uuid], name: [name], account: [account], rule: rules },
      ];
    }),
    ...roles.map(
      (role): UfdsEntry => [
        `role-uuid=${role.uuid}, ${base}`,
        {
          ...{ objectclass: ['sdcaccountrole'], uuid: [role.uuid], name: [role.name], account: [account] },
          uniquemember: role.members.map(member),
          uniquememberdefault: role.defaultMembers.map(member),
          memberpolicy: role.policies.map(({ name }) => policyName.get(name) ?? name),
        },
      ],
    ),
  ];
}

const SUB_USER = { objectclass: ['sdcperson', 'sdcaccountuser'], email: ['sub@example.com'] };

function uuidFrom(...texts: readonly string[]): string {
  const hex = createHash('md5').update(texts.join()).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function entriesOf(accounts: readonly Account[], keys: Readonly<Record<string, Keys>> = {}): UfdsEntry[] {
  return accounts.flatMap((account) => {
    const person = personEntry(account);
    return [person, ...keyEntries(person[0], keys[account.uuid] ?? {})];
  });
}
