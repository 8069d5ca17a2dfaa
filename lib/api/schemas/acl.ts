/** The accounts to share an image with, as a request has them. */
import { Type } from 'typebox';
import type { ValueOf } from './build.ts';

export const AclEntries = Type.Array(
  Type.String({ description: 'UUID of an account; in version 3 also its login, which is kept as typed.' }),
  { maxItems: 1000, description: 'Entries to add or to remove.' },
);
export type AclEntries = ValueOf<typeof AclEntries>;
