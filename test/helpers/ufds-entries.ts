/** Accounts as UFDS's entries. */
import { createHash } from 'node:crypto';
import type { Account, Keys } from '#lib/accounts/accounts.ts';
import { type Attributes, USERS } from '../doubles/ufds.ts';

export type UfdsEntry = readonly [dn: string, attributes: Attributes];

function personEntry({ uuid, login, createdAt, updatedAt }: Account): UfdsEntry {
  const attributes = {
    objectclass: ['sdcperson'],
    uuid: [uuid],
    login: [login],
    email: [`${uuid}@example.com`],
    userpassword: ['hidden'],
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

export function entriesOf(accounts: readonly Account[], keys: Readonly<Record<string, Keys>> = {}): UfdsEntry[] {
  return accounts.flatMap((account) => {
    const person = personEntry(account);
    return [person, ...keyEntries(person[0], keys[account.uuid] ?? {})];
  });
}
