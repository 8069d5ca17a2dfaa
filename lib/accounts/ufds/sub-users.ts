/** What UFDS's entries below an account say of its sub-users, their roles and the policies of these. */
import type { Entry } from 'ldapts';
import { isUuid } from '../../text/uuid.ts';
import type { Policy, Role, SubUser } from '../accounts.ts';
import { isDisabled, valuesOf } from './entries.ts';

/** Attributes of `sdcAccountUser`. */
export const SUB_USER = ['uuid', 'login', 'disabled'];

/** Attributes of `sdcAccountRole` and `sdcAccountPolicy`. */
export const ROLE_OR_POLICY = [
  ...['objectclass', 'uuid', 'name'],
  ...['uniquemember', 'uniquememberdefault', 'memberpolicy'],
  'rule',
];

/** The directory keeps its login as ACCOUNT/LOGIN; UFDS leaves the account out when it answers. */
export function subUserOf(account: string, entry: Entry): SubUser | undefined {
  const [uuid] = valuesOf(entry, 'uuid');
  const [kept] = valuesOf(entry, 'login');
  if (!isUuid(uuid) || kept === undefined) return undefined;
  const prefix = `${account}/`;
  const login = kept.startsWith(prefix) ? kept.slice(prefix.length) : kept;
  return Object.freeze({ uuid, login, ...(isDisabled(entry) && { isDisabled: true as const }) });
}

/** A role without a name or UUID is none, and members and policies count only if they are the account's own. */
export function rolesOf(account: string, entries: readonly Entry[]): readonly Role[] {
  const policies = new Map<string, Policy>();
  for (const entry of entries.filter((one) => isA(one, 'sdcaccountpolicy'))) {
    const [uuid = ''] = valuesOf(entry, 'uuid');
    const [name = ''] = valuesOf(entry, 'name');
    policies.set(uuid, { name, rules: valuesOf(entry, 'rule') });
  }
  return entries
    .filter((entry) => isA(entry, 'sdcaccountrole'))
    .flatMap((entry) => {
      const [uuid] = valuesOf(entry, 'uuid');
      const [name] = valuesOf(entry, 'name');
      if (uuid === undefined || name === undefined) return [];
      const own = (attribute: string, rdn: string) =>
        valuesOf(entry, attribute).flatMap((dn) => uuidIn(dn, rdn, account) ?? []);
      const members = own('uniquemember', 'uuid');
      return {
        ...{ uuid, name, members },
        defaultMembers: own('uniquememberdefault', 'uuid').filter((member) => members.includes(member)),
        policies: own('memberpolicy', 'policy-uuid').flatMap((policy) => policies.get(policy) ?? []),
      };
    });
}

function isA(entry: Entry, objectclass: string): boolean {
  return valuesOf(entry, 'objectclass').some((value) => value.toLowerCase() === objectclass);
}

/** The UUID in the first part of a name such as `uuid=…, uuid=ACCOUNT, ou=users, o=smartdc`. */
function uuidIn(dn: string, rdn: string, account: string): string | undefined {
  const [first = '', second = ''] = dn.split(',').map((part) => compact(part).toLowerCase());
  const uuid = first.startsWith(`${rdn}=`) ? first.slice(rdn.length + 1) : undefined;
  return isUuid(uuid) && second === `uuid=${account}` ? uuid : undefined;
}

/** Without spaces around the name and the value. */
function compact(part: string): string {
  const at = part.indexOf('=');
  return at < 0 ? part.trim() : `${part.slice(0, at).trim()}=${part.slice(at + 1).trim()}`;
}
